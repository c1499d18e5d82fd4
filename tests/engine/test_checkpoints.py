import copy
import io
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from devices import weights_of
from mmengine.config import ConfigDict
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from tempseg_mm.engine.checkpoints import complete_generator, make_plain, rebuild, require_resumable
from tempseg_mm.models.generator_weights import save_generator


def checkpoint(**parts):
    return dict(state_dict={}, message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}), **parts)


def through_a_file(content):
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_message_hub_survives_a_file_of_plain_types():
    buffer = HistoryBuffer([3.5, 2.5], [1, 2], max_length=10)
    hub = dict(log_scalars={'train/loss': buffer}, runtime_info=dict(iter=np.int64(7), best=np.float32(0.5), name='x'),
               resumed_keys={'train/loss': True})
    saved, scalars = dict(state_dict={}, message_hub=hub), hub['log_scalars']
    make_plain(saved)
    assert scalars['train/loss'] is buffer  # the running log is not touched
    assert saved['message_hub']['runtime_info'] == dict(iter=7, best=0.5, name='x')
    assert type(saved['message_hub']['runtime_info']['iter']) is int

    read = through_a_file(saved)['message_hub']
    rebuild(read)
    again = read['log_scalars']['train/loss']
    assert isinstance(again, HistoryBuffer)
    assert again.data[0].tolist() == [3.5, 2.5] and again.data[1].tolist() == [1, 2] and again.max_length == 10
    again.update(1.0)
    assert again.current() == 1.0


def test_everything_else_becomes_plain():
    saved = checkpoint(
        meta=dict(dataset_meta=ConfigDict(palette=np.array([[1, 2]], np.uint8), names=np.array(['a'])),
                  score=np.float64(1)),
        optimizer=OrderedDict(betas=(np.float32(0.5), 0.999), state={0: dict(exp_avg=torch.ones(2))}, amp=None,
                              shape=torch.Size([2]), on=np.bool_(True)))
    make_plain(saved)
    read = through_a_file(saved)
    assert read['meta']['dataset_meta']['palette'].dtype == torch.uint8
    assert read['meta']['dataset_meta']['palette'].tolist() == [[1, 2]]
    assert read['meta']['dataset_meta']['names'] == ['a'] and type(saved['meta']['dataset_meta']) is dict
    assert type(saved['meta']['score']) is float and saved['optimizer']['on'] is True
    assert read['optimizer']['betas'] == (0.5, 0.999) and type(read['optimizer']) is OrderedDict
    assert torch.equal(read['optimizer']['state'][0]['exp_avg'], torch.ones(2))


@pytest.mark.parametrize('value, kind', [
    (io.BytesIO(), '_io.BytesIO'), ({1}, 'builtins.set'), (b'x', 'builtins.bytes')])
def test_what_could_never_be_read_is_not_written(value, kind):
    with pytest.raises(TypeError, match=rf"checkpoint\['own'\]\['a'\]\[1\] is a {kind}, which torch.load"):
        make_plain(checkpoint(own=dict(a=[0, value])))


def test_weights_alone_cannot_be_resumed():
    require_resumable(checkpoint(meta={}, optimizer={}))
    with pytest.raises(ValueError, match='holds no meta, optimizer, so training cannot resume.*load_from='):
        require_resumable(checkpoint())


def test_a_generator_alone_gets_the_rest_of_the_model():
    own = {name: torch.full((1,), value) for name, value in (('generator.a', 1.), ('adversary.b', 2.), ('flow.c', 3.))}
    alone = {'generator.a': torch.zeros(1)}
    assert complete_generator(alone, own)
    assert {name: value.item() for name, value in alone.items()} == {'generator.a': 0, 'adversary.b': 2, 'flow.c': 3}


@pytest.mark.parametrize('names', [(), ('generator.a', 'adversary.b'), ('a',), ('adversary.b',)])
def test_other_weights_stay_as_they_are(names):
    weights = dict.fromkeys(names, torch.zeros(1))
    assert not complete_generator(weights, {'generator.a': torch.ones(1), 'adversary.b': torch.ones(1)})
    assert tuple(weights) == names


def test_a_model_that_is_all_generator_needs_nothing():
    weights = {'generator.a': torch.zeros(1)}
    assert not complete_generator(weights, {'generator.a': torch.ones(1)}) and list(weights) == ['generator.a']


# Out of a run and into one


class Start(Hook):
    """State at the beginning of training."""

    def before_train(self, runner):
        self.iter = runner.iter
        self.weights = weights_of(runner.model)
        self.optim = copy.deepcopy({name: part.state_dict()['state'] for name, part in runner.optim_wrapper.items()})
        self.history = {name: buffer.data[0].tolist() for name, buffer in runner.message_hub.log_scalars.items()}
        self.rate = runner.optim_wrapper.get_lr()


@pytest.fixture
def trained(make_runner):
    """Path of a checkpoint after two of four iterations."""
    runner = make_runner(**{'train_cfg.max_iters': 2, 'default_hooks.checkpoint.interval': 1,
                            'param_scheduler.generator.0.end': 4})
    runner.train()
    return Path(runner.work_dir) / 'iter_2.pth'


def flat(tree, prefix=''):
    if isinstance(tree, dict):
        return {key: value for name, part in tree.items() for key, value in flat(part, f'{prefix}{name}.').items()}
    return {prefix: tree}


def test_checkpoints_are_of_plain_types(trained):
    saved = torch.load(trained, weights_only=True)
    assert {'state_dict', 'optimizer', 'message_hub', 'meta', 'param_schedulers'} <= saved.keys()
    values = saved['message_hub']['log_scalars']['train/loss_g']['values']
    assert len(values) == 2 and all(type(value) is float for value in values)


class Adds(Hook):
    """What is not plain, to every checkpoint, as late as a hook can."""
    priority = 'VERY_LOW'

    def before_save_checkpoint(self, runner, checkpoint):
        checkpoint['added'] = np.float64(0.5), np.arange(3)


def test_what_another_hook_adds_is_made_plain_too(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 1})
    runner.register_hook(Adds())
    runner.train()
    half, numbers = torch.load(f'{runner.work_dir}/iter_1.pth', weights_only=True)['added']
    assert type(half) is float and half == 0.5 and numbers.tolist() == [0, 1, 2]


def test_resuming_goes_on_where_training_stopped(trained, tiny_config):
    saved = torch.load(trained, weights_only=True)
    cfg = tiny_config(**{'train_cfg.max_iters': 4, 'param_scheduler.generator.0.end': 4, 'resume': True})
    runner, start = Runner.from_cfg(cfg), Start()
    runner.register_hook(start)
    runner.train()
    assert start.iter == 2 and runner.iter == 4
    assert [name for name, value in start.weights.items() if not torch.equal(value, saved['state_dict'][name])] == []
    for name in ('generator', 'adversary'):
        now, then = flat(start.optim[name]), flat(saved['optimizer'][name]['state'])
        assert now.keys() == then.keys() and len(now) > 10
        assert all(torch.equal(torch.as_tensor(now[key]).cpu(), torch.as_tensor(then[key]).cpu()) for key in now)
    assert start.history['train/loss_g'] == saved['message_hub']['log_scalars']['train/loss_g']['values']
    assert len(runner.message_hub.get_scalar('train/loss_g').data[0]) == 4
    assert start.rate['generator.lr'] == pytest.approx([0.002 - 2 * 0.0016 / 3])
    assert torch.load(trained.with_name('iter_4.pth'), weights_only=True)['meta']['iter'] == 4


@pytest.mark.parametrize('option, fault', [
    ({'model.width': 0.125}, r'backbone\.layers\.0\.conv\.weight is \(4, 4, 5, 5\), the model has \(8, 4, 5, 5\)'),
    ({'model.generator.reference_mask': 'none'}, r'conv\.weight is \(4, 4, 5, 5\), the model has \(4, 3, 5, 5\)'),
])
@pytest.mark.parametrize('resume', [False, True])
def test_another_architecture_is_refused_and_nothing_loaded(trained, make_runner, option, fault, resume):
    runner = make_runner(**option, **{'load_from': str(trained), 'resume': resume, 'train_cfg.max_iters': 4})
    with pytest.raises(ValueError, match=f'another architecture.*{fault}'):
        runner.train() if resume else runner.test()
    saved = torch.load(trained, weights_only=True)['state_dict']
    last = 'generator.decoder.to_logits.bias'  # of one shape in all of them
    assert not torch.equal(weights_of(runner.model)[last], saved[last])


def test_weights_alone_can_be_loaded(trained, make_runner, tmp_path):
    weights = torch.load(trained, weights_only=True)['state_dict']
    torch.save(weights, tmp_path / 'weights.pth')
    runner = make_runner(**{'load_from': str(tmp_path / 'weights.pth')})
    runner.load_or_resume()
    assert all(torch.equal(value, weights[name]) for name, value in weights_of(runner.model).items())


@pytest.fixture
def generator_file(make_model, tmp_path):
    """A generator alone, and its weights as float16 leaves them."""
    model, path = make_model(adversary=dict(share_weights=True)), tmp_path / 'g.safetensors'
    save_generator(model, path, metadata=dict(config='shipped.py'))
    return path, {f'generator.{name}': value.half().to(value.dtype) if value.is_floating_point() else value
                  for name, value in model.generator.state_dict().items()}


def test_a_generator_alone_is_enough_for_a_test(generator_file, make_runner, monkeypatch, capsys):
    path, weights = generator_file
    runner = make_runner(**{'load_from': str(path), 'custom_hooks': [], 'test_evaluator.measures': ['J'],
                            'test_dataloader.dataset.sequences': ['test_000']})
    before = weights_of(runner.model)
    said = []
    monkeypatch.setattr(runner.logger, 'info', lambda text, *_, **__: said.append(text))
    runner.load_or_resume()
    own = weights_of(runner.model)
    assert [name for name, value in own.items() if not torch.equal(value, weights.get(name, before[name]))] == []
    assert any(name not in weights for name in own)
    text, = [line for line in said if 'generator alone' in line]
    assert text == (f'{path} holds the generator alone; the adversary has not been trained. The metadata of the file: '
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
    ({'model.width': 0.125}, r'another architecture.*Use the config .* The metadata of the file: config shipped\.py\.'),
    ({'resume': True}, 'holds no meta, message_hub, optimizer.*load_from=<file> instead of --resume'),
])
def test_a_generator_that_does_not_fit(generator_file, make_runner, options, fault):
    with pytest.raises(ValueError, match=fault):
        make_runner(**options, **{'load_from': str(generator_file[0])}).train()
