import copy
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.models.generator_weights import save_generator


class Start(Hook):
    """State at the beginning of training."""

    def before_train(self, runner):
        self.iter = runner.iter
        self.weights = {name: value.clone() for name, value in runner.model.state_dict().items()}
        self.optim = copy.deepcopy({name: part.state_dict()['state'] for name, part in runner.optim_wrapper.items()})
        self.history = {name: buffer.data[0].tolist() for name, buffer in runner.message_hub.log_scalars.items()}
        self.rate = runner.optim_wrapper.get_lr()


@pytest.fixture
def checkpoint(make_runner):
    """Path of a checkpoint after two of four iterations."""
    runner = make_runner(**{'train_cfg.max_iters': 2, 'default_hooks.checkpoint.interval': 1,
                            'param_scheduler.generator.0.end': 4})
    runner.train()
    return Path(runner.work_dir) / 'iter_2.pth'


def flat(tree, prefix=''):
    if isinstance(tree, dict):
        return {key: value for name, part in tree.items() for key, value in flat(part, f'{prefix}{name}.').items()}
    return {prefix: tree}


def test_checkpoints_are_of_plain_types(checkpoint):
    saved = torch.load(checkpoint, weights_only=True)
    assert {'state_dict', 'optimizer', 'message_hub', 'meta', 'param_schedulers'} <= saved.keys()
    values = saved['message_hub']['log_scalars']['train/loss_g']['values']
    assert len(values) == 2 and all(type(value) is float for value in values)


def test_resuming_goes_on_where_training_stopped(checkpoint, tiny_config):
    saved = torch.load(checkpoint, weights_only=True)
    cfg = tiny_config(**{'train_cfg.max_iters': 4, 'param_scheduler.generator.0.end': 4, 'resume': True})
    runner, start = Runner.from_cfg(cfg), Start()
    runner.register_hook(start)
    runner.train()
    assert start.iter == 2 and runner.iter == 4
    assert [name for name, value in start.weights.items() if not torch.equal(value, saved['state_dict'][name])] == []
    for name in ('generator', 'adversary'):
        now, then = flat(start.optim[name]), flat(saved['optimizer'][name]['state'])
        assert now.keys() == then.keys() and len(now) > 10
        assert all(torch.equal(torch.as_tensor(now[key]), torch.as_tensor(then[key])) for key in now)
    assert start.history['train/loss_g'] == saved['message_hub']['log_scalars']['train/loss_g']['values']
    assert len(runner.message_hub.get_scalar('train/loss_g').data[0]) == 4
    assert start.rate['generator.lr'] == pytest.approx([0.002 - 2 * 0.0016 / 3])
    assert torch.load(checkpoint.with_name('iter_4.pth'), weights_only=True)['meta']['iter'] == 4


@pytest.mark.parametrize('option, fault', [
    ({'model.width': 0.125}, r'backbone\.layers\.0\.conv\.weight is \(4, 4, 5, 5\), the model has \(8, 4, 5, 5\)'),
    ({'model.generator.reference_mask': 'none'}, r'conv\.weight is \(4, 4, 5, 5\), the model has \(4, 3, 5, 5\)'),
])
@pytest.mark.parametrize('resume', [False, True])
def test_another_architecture_is_refused_and_nothing_loaded(checkpoint, make_runner, option, fault, resume):
    runner = make_runner(**option, **{'load_from': str(checkpoint), 'resume': resume, 'train_cfg.max_iters': 4})
    with pytest.raises(ValueError, match=f'another architecture.*{fault}'):
        runner.train() if resume else runner.test()
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    last = 'generator.decoder.to_logits.bias'  # of one shape in all of them
    assert not torch.equal(runner.model.state_dict()[last], saved[last])


def test_weights_alone_can_be_loaded(checkpoint, make_runner, tmp_path):
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    torch.save(weights, tmp_path / 'weights.pth')
    runner = make_runner(**{'load_from': str(tmp_path / 'weights.pth')})
    runner.load_or_resume()
    assert all(torch.equal(value, weights[name]) for name, value in runner.model.state_dict().items())


@pytest.fixture
def generator_file(make_model, tmp_path):
    """A generator alone, and its weights as float16 leaves them."""
    model, path = make_model(adversary=dict(share_weights=True)), tmp_path / 'g.safetensors'
    save_generator(model, path, metadata=dict(config='shipped.py'))
    return path, {f'generator.{name}': value.half().to(value.dtype) if value.is_floating_point() else value
                  for name, value in model.generator.state_dict().items()}


def test_a_generator_alone_is_enough_for_a_test(generator_file, make_runner, monkeypatch, capsys):
    path, weights = generator_file
    runner = make_runner(**{'load_from': str(path), 'default_hooks.finetune': None, 'test_evaluator.measures': ['J'],
                            'test_dataloader.dataset.sequences': ['test_000']})
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    said = []
    monkeypatch.setattr(runner.logger, 'info', lambda text, *_: said.append(text))
    runner.load_or_resume()
    own = runner.model.state_dict()
    assert [name for name, value in own.items() if not torch.equal(value, weights.get(name, before[name]))] == []
    assert any(name not in weights for name in own)
    text, = [line for line in said if 'generator alone' in line]
    assert text == (f'{path} holds the generator alone; the adversary has not been trained. The file says of itself: '
                    'config shipped.py.')
    assert 'missing keys' not in capsys.readouterr().out
    assert 0 <= runner.test()['J_mean'] <= 1


def test_training_goes_on_from_a_generator_with_a_fresh_adversary(generator_file, make_runner):
    path, weights = generator_file
    starts = []
    for load_from in (str(path), None):
        runner, start = make_runner(**{'load_from': load_from, 'train_cfg.max_iters': 1}), Start()
        runner.register_hook(start)
        runner.train()
        starts.append(start.weights)
    loaded, fresh = starts
    assert [name for name, value in loaded.items() if not torch.equal(value, weights.get(name, fresh[name]))] == []


@pytest.mark.parametrize('options, fault', [
    ({'model.width': 0.125}, r'another architecture.*Use the config .* The file says of itself: config shipped\.py\.'),
    ({'resume': True}, 'holds no meta, message_hub, optimizer.*load_from=<file> instead of --resume'),
])
def test_a_generator_that_does_not_fit(generator_file, make_runner, options, fault):
    with pytest.raises(ValueError, match=fault):
        make_runner(**options, **{'load_from': str(generator_file[0])}).train()
