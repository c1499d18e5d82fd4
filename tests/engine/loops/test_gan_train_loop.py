import copy
import gc
import math
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from tempseg_mm.flow.untrained import ZeroFlow
from tempseg_mm.registry import MODELS


class Watch(Hook):
    """Keeps a copy of the model and the terms after every iteration."""
    priority = 'VERY_LOW'

    def __init__(self):
        self.states, self.outputs, self.batches, self.rates = [], [], [], []

    def before_train(self, runner):
        self.start = copy.deepcopy(runner.model)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.rates.append({name.split('.')[0]: lr[0] for name, lr in runner.optim_wrapper.get_lr().items()})

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.states.append(copy.deepcopy(runner.model.state_dict()))
        self.outputs.append(outputs)
        self.batches.append(runner.train_loop.last_batch)


def watched(runner):
    watch = Watch()
    runner.register_hook(watch)
    return watch


def without_adversary(tiny_config, **options):
    cfg = tiny_config(**options)
    cfg.model.adversary = None
    cfg.model.losses = dict(l1=dict(type='L1Loss'), bce=dict(type='BCELoss'))
    return cfg


def record_order(runner):
    """Names of the things done, in order, of a Runner about to train."""
    done, model = [], runner.model
    for name in ('discriminator_losses', 'generator_losses'):
        method = getattr(model, name)
        setattr(model, name, lambda *a, method=method, name=name: done.append(name[0].upper()) or method(*a))
    model.generator.register_forward_pre_hook(lambda *_: done.append('forward'))

    class Steps(Hook):
        def before_train(self, runner):
            for name, wrapper in runner.optim_wrapper.items():
                wrapper.optimizer.register_step_post_hook(lambda *_, name=name: done.append(f'step {name[0]}'))
    runner.register_hook(Steps())
    return done


def test_alternation(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 2})
    done = record_order(runner)
    runner.train()
    assert done == ['forward', 'D', 'step a', 'G', 'step g'] * 2


def test_numbers_of_steps_and_one_flow_a_batch(make_runner, monkeypatch):
    flows, estimate = [], ZeroFlow.estimate
    monkeypatch.setattr(ZeroFlow, 'estimate', lambda *a: flows.append(a[1].shape[0]) or estimate(*a))
    runner = make_runner(**{
        'train_cfg.max_iters': 2, 'train_cfg.discriminator_steps': 2, 'train_cfg.generator_steps': 2,
        'model.data_preprocessor.flow': dict(type='ZeroFlow'), 'train_dataloader.dataset.pipeline.0.with_flow': False})
    done = record_order(runner)
    runner.train()
    assert done == ['forward', 'D', 'step a', 'D', 'step a', 'G', 'step g', 'forward', 'G', 'step g'] * 2
    assert flows == [4, 4]  # two clips of two pairs, once an iteration


class Reads(TorchDispatchMode):
    """Counts the operations that hand a value from the device to Python, for which a GPU must be through."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket in (torch.ops.aten._local_scalar_dense, torch.ops.aten.nonzero):
            self.found.append(str(function))
        return function(*args, **kwargs or {})


def test_nothing_in_a_step_waits_for_the_device_but_the_terms(make_runner):
    sgd = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))  # Adam reads its own count, on the CPU
    runner = make_runner(**{'optim_wrapper.generator': sgd, 'optim_wrapper.adversary': sgd})
    loop = runner.train_loop
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.model.train()
    data = next(loop.dataloader_iterator)
    with Reads() as reads:
        assert loop.alternate(data)['loss_itsd'] > 0  # the floats of all terms come by `tolist`, once a half-step
    assert reads.found == []
    with reads:
        bool(torch.ones(()))
    assert reads.found


def test_terms_logged(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 1})
    watch = watched(runner)
    runner.train()
    terms, = watch.outputs
    assert set(terms) == {'loss_d_real', 'loss_d_fake', 'd_acc_real', 'd_acc_fake', 'loss_d', 'loss_bce', 'loss_adv',
                          'loss_l1', 'loss_itsd', 'loss_iftl', 'loss_l_iftl', 'loss_g'}
    assert all(type(value) is float and math.isfinite(value) for value in terms.values())
    assert terms['loss_d'] == pytest.approx(terms['loss_d_real'] + terms['loss_d_fake'])
    assert terms['loss_g'] == pytest.approx(sum(
        value for name, value in terms.items() if name.startswith('loss') and '_d' not in name and name != 'loss_g'))
    assert runner.train_loop.last_prediction.masks.shape == (2, 3, 1, 32, 48)
    assert set(runner.message_hub.log_scalars) >= {f'train/{name}' for name in terms}


def test_only_the_generators_rate_falls(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 5, 'param_scheduler.generator.0.end': 5,
                            'optim_wrapper.adversary.optimizer.lr': 0.01})
    watch = watched(runner)
    runner.train()
    assert [r['generator'] for r in watch.rates] == pytest.approx([0.002, 0.0016, 0.0012, 0.0008, 0.0004])
    assert runner.optim_wrapper.get_lr()['generator.lr'] == pytest.approx([0.0004])
    assert {r['adversary'] for r in watch.rates} == {0.01}


def test_gradients_accumulate(tiny_config):
    sgd = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.5), accumulative_counts=2)
    cfg = without_adversary(tiny_config, **{
        'train_cfg.max_iters': 4, 'model.generator.backbone.dropout': 0.0, 'model.generator.decoder.dropout': 0.0})
    cfg.optim_wrapper.generator = sgd
    cfg.param_scheduler = None
    runner = Runner.from_cfg(cfg)
    watch = watched(runner)
    runner.train()
    reference = watch.start
    start = nn.utils.parameters_to_vector(reference.generator.parameters()).detach()

    def vector(state):
        names = [name for name, _ in reference.generator.named_parameters()]
        return torch.cat([state[f'generator.{name}'].flatten() for name in names])
    weights = [vector(state) for state in watch.states]
    assert torch.equal(weights[0], start) and torch.equal(weights[2], weights[1])
    assert not torch.equal(weights[1], start) and not torch.equal(weights[3], weights[2])

    reference.train()
    for batch in watch.batches[:2]:
        loss, _ = reference.parse_losses(reference.generator_losses(reference(batch), batch))
        (loss / 2).backward()
    gradient = torch.cat([p.grad.flatten() for p in reference.generator.parameters()])
    torch.testing.assert_close(weights[1], start - 0.5 * gradient, rtol=1e-4, atol=1e-6)


def test_bfloat16(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 2, 'model.compute': dict(amp=True)})
    watch = watched(runner)
    runner.train()
    prediction = runner.train_loop.last_prediction
    assert prediction.logits.dtype is torch.bfloat16 and prediction.masks.dtype is torch.float32
    assert all(p.dtype is torch.float32 for p in runner.model.parameters())
    for part in ('generator.decoder.to_logits.weight', 'adversary.discriminator.to_logit.weight'):
        assert not torch.equal(watch.states[0][part], watch.states[1][part])


def test_trains_without_an_adversary(tiny_config):
    runner = Runner.from_cfg(without_adversary(tiny_config, **{'train_cfg.max_iters': 2}))
    watch = watched(runner)
    runner.train()
    assert set(watch.outputs[0]) == {'loss_l1', 'loss_bce', 'loss_g'}


class Spoiling(nn.Module):
    """A loss that is NaN the second time."""
    needs_adversary, needs_flow, calls = False, False, 0

    def forward(self, prediction, batch):
        self.calls += 1
        return prediction.logits.mean() * (float('nan') if self.calls == 2 else 1)


def test_a_term_that_is_not_finite_stops_the_run(make_runner, monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'Spoiling', Spoiling)
    runner = make_runner(**{'model.losses.fragile': dict(type='Spoiling')})
    with pytest.raises(FloatingPointError) as error:
        runner.train()
    message = str(error.value)
    assert message.startswith('loss_fragile, loss_g, gradient of generator not finite in iteration 2 (frames train_00')
    assert all(f'{name}=' in message for name in ('loss_d_real', 'loss_itsd', 'loss_bce', 'd_acc_fake', 'loss_fragile'))
    assert runner.iter == 1


def test_a_step_can_be_skipped(make_runner, monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'Spoiling', Spoiling)
    runner = make_runner(**{'model.losses.spoiling': dict(type='Spoiling'), 'train_cfg.on_nonfinite': 'skip'})
    watch = watched(runner)
    runner.train()
    assert [terms['skipped_steps'] for terms in watch.outputs] == [0, 1, 1]
    assert 'loss_g' not in watch.outputs[1] and 'loss_d' in watch.outputs[1]
    same = {part: all(torch.equal(value, watch.states[1][name]) for name, value in watch.states[0].items()
                      if name.startswith(part)) for part in ('generator', 'adversary.discriminator')}
    assert same == {'generator': True, 'adversary.discriminator': False}
    assert all(value.isfinite().all() for value in watch.states[2].values())
    assert not list(Path(runner.work_dir).glob('nonfinite*'))


@pytest.mark.parametrize('start, at', [(0, [2, 4, 5]), (2, [2, 4, 5]), (3, [4, 5])])
def test_validation_comes_at_its_interval_and_first_where_a_stop_left_it_undone(make_runner, start, at):
    runner = make_runner(**{'train_cfg.max_iters': 5, 'train_cfg.val_interval': 2})
    loop, ran = runner.train_loop, []

    class Validation(BaseLoop):
        def run(self):
            ran.append(runner.iter)
    runner._val_loop = Validation(runner, None)
    runner.call_hook = lambda *args, **kwargs: None
    loop._iter = start
    loop.run_iter = lambda batch: setattr(loop, '_iter', loop._iter + 1)
    loop.dataloader_iterator = iter(range(9))
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    loop.run()
    assert ran == at


def test_memory_stays_flat(make_runner):
    class Count(Hook):
        priority = 'LOWEST'

        def __init__(self):
            self.objects, self.tensors = {}, {}

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if batch_idx in (14, 49):
                gc.collect()
                found = gc.get_objects()
                self.objects[batch_idx] = len(found)
                self.tensors[batch_idx] = sum(isinstance(one, torch.Tensor) for one in found)
    runner = make_runner(**{'train_cfg.max_iters': 55, 'train_dataloader.batch_size': 1, 'log_level': 'ERROR'})
    count = Count()
    runner.register_hook(count)
    runner.train()
    assert count.tensors[49] == count.tensors[14]
    assert count.objects[49] - count.objects[14] < 30  # one an iteration would show


@pytest.mark.parametrize('steps', [dict(discriminator_steps=0), dict(generator_steps=0)])
def test_at_least_one_step_each(make_runner, steps):
    runner = make_runner(**{f'train_cfg.{name}': value for name, value in steps.items()})
    with pytest.raises(ValueError, match='must be at least 1.*adversary=None'):
        runner.train_loop  # noqa: B018
