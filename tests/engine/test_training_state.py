"""An interrupted run and an uninterrupted one end in the same checkpoint, bit for bit."""

import io
import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import LogProcessor, Runner

from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.engine.checkpoints import make_plain
from tempseg_mm.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from tempseg_mm.engine.training_state import BoundedLog, training_state

CUT, END = 3, 5
BF16 = {'model.compute': dict(amp=True)}
GATHER = {f'optim_wrapper.{name}.accumulative_counts': 2 for name in ('generator', 'adversary')}  # 2, cut, 2, the rest
WORKERS = {'train_dataloader.num_workers': 2}
CLIP = {'optim_wrapper.generator.clip_grad': dict(max_norm=0.01)}


class StopAt(Hook):
    """Ends training after so many iterations, as a signal does; keeps the frames of every batch."""

    def __init__(self, stop):
        self.stop, self.origins = stop, []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.origins.append(runner.train_loop.last_batch.origin)
        runner.train_loop.stop_training = batch_idx + 1 == self.stop


@pytest.fixture
def train(tiny_config, tmp_path, device):
    """Trains in a folder of this name; returns what :class:`StopAt` kept. A GPU repeats itself only if told to."""
    exact = {'randomness.deterministic': True} if device.type == 'cuda' else {}

    def run(folder, *, stop=None, changes=None, **options):
        cfg = tiny_config(**exact, **{
            'train_cfg.max_iters': END, 'param_scheduler.generator.0.end': END,
            'default_hooks.checkpoint.interval': CUT, 'work_dir': str(tmp_path / folder), **options})
        if changes:
            changes(cfg)
        runner, watch = Runner.from_cfg(cfg), StopAt(stop)
        runner.register_hook(watch)
        for draw in (random.random, np.random.rand, lambda: torch.rand(1)):  # another process has drawn other numbers
            draw()
        runner.train()
        return watch
    return run


def differences(one, other, at=''):
    """Paths of the leaves at which two trees differ."""
    if isinstance(one, dict):
        keys = list(one) + [key for key in other if key not in one]
        return [path for key in keys for path in (
            differences(one[key], other[key], f'{at}/{key}') if key in one and key in other else [f'{at}/{key}'])]
    if isinstance(one, (list, tuple)):
        return [path for i, (a, b) in enumerate(zip(one, other)) for path in differences(a, b, f'{at}/{i}')] + (
            [] if len(one) == len(other) else [at])
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [at]


def checkpoint(folder):
    """The last checkpoint, without what tells of time and place."""
    saved = torch.load(folder / f'iter_{END}.pth', weights_only=True)
    del saved['meta']
    saved['message_hub'].pop('runtime_info')
    for name in ('train/time', 'train/data_time'):
        saved['message_hub']['log_scalars'].pop(name)
    return saved


def log_lines(folder):
    """Scalars as logged, by iteration, without times and the memory of a GPU."""
    lines = [json.loads(line) for path in sorted(folder.glob('*/vis_data/*.json')) if path.stem[:2] == '20'
             for line in path.read_text().splitlines()]
    return {line['step']: {name: value for name, value in line.items() if 'time' not in name and name != 'memory'}
            for line in lines}


def with_moving_average(cfg):
    cfg.custom_hooks = [dict(type='EMAHook', momentum=0.1)]


STEPS = {'train_cfg.discriminator_steps': 2, 'train_cfg.generator_steps': 2}


@pytest.mark.parametrize('options, changes', [
    ({}, None), (WORKERS | GATHER, None), (BF16 | GATHER, with_moving_average), (WORKERS | BF16 | CLIP | STEPS, None),
], ids=['plain', 'workers-accumulation', 'bf16-accumulation-average', 'workers-bf16-clipping-steps'])
def test_resuming_is_exact(train, tmp_path, options, changes):
    whole = train('whole', changes=changes, **options)
    before = train('parts', stop=CUT, changes=changes, **options)
    assert not (tmp_path / f'parts/iter_{END}.pth').exists()
    after = train('parts', changes=changes, **options, resume=True)
    assert before.origins + after.origins == whole.origins and len(after.origins) == END - CUT
    one, other = checkpoint(tmp_path / 'whole'), checkpoint(tmp_path / 'parts')
    assert {'state_dict', 'optimizer', 'param_schedulers', 'message_hub', 'training_state'} <= one.keys()
    assert differences(one, other) == []
    lines, resumed = log_lines(tmp_path / 'whole'), log_lines(tmp_path / 'parts')
    assert set(lines) == set(resumed) == set(range(1, END + 1)) and lines == resumed


def test_gradients_that_wait_are_in_the_checkpoint(train, tmp_path):
    train('run', stop=CUT, **GATHER)
    gradients = torch.load(tmp_path / f'run/iter_{CUT}.pth', weights_only=True)['training_state']['gradients']
    assert set(gradients) == {'generator', 'adversary'}
    assert any(gradient is not None and gradient.any() for gradient in gradients['generator'])


def test_none_wait_without_accumulation(train, tmp_path):
    train('run', stop=CUT)
    assert torch.load(tmp_path / f'run/iter_{CUT}.pth', weights_only=True)['training_state']['gradients'] == {}


def test_nothing_that_training_had_is_decoded_again(train, monkeypatch):
    train('run', stop=CUT)
    decoded, frame = [], VOSSequence.frame
    monkeypatch.setattr(VOSSequence, 'frame', lambda self, *args: decoded.append(args) or frame(self, *args))
    train('run', resume=True)
    assert len(decoded) == (END - CUT) * 2 * 3  # iterations, clips, frames


def test_the_order_of_the_data_is_that_of_the_run_also_under_another_seed(train):
    whole = train('whole')
    train('parts', stop=CUT)
    assert train('parts', resume=True, **{'randomness.seed': 7}).origins == whole.origins[CUT:]


def test_an_older_checkpoint_goes_on_at_its_place_in_the_data(train, tmp_path):
    whole = train('whole')
    train('parts', stop=CUT)
    path = tmp_path / f'parts/iter_{CUT}.pth'
    content = torch.load(path, weights_only=True)
    del content['training_state']
    torch.save(content, path)
    assert train('parts', resume=True).origins == whole.origins[CUT:]
    log = ''.join(path.read_text() for path in Path(tmp_path / 'parts').glob('*/*.log'))
    assert 'the checkpoint has no training_state' in log


def test_weights_to_start_from_bring_no_state(train, tmp_path):
    whole = train('whole')
    assert train('new', load_from=str(tmp_path / f'whole/iter_{CUT}.pth')).origins == whole.origins


def test_the_state_is_of_plain_types(make_runner, tmp_path):
    runner = make_runner(**{'train_cfg.max_iters': 1})
    runner.train()
    torch.save(training_state(runner.train_loop), tmp_path / 'state.pth')
    state = torch.load(tmp_path / 'state.pth', weights_only=True)
    assert state['data'] == dict(position=2, seed=0) and state['steps'] == dict(skipped=0, in_a_row=dict(
        adversary=0, generator=0))


@pytest.fixture
def resumed(make_runner):
    """A Runner before training, as if resumed after two iterations, and a checkpoint before hooks have seen it."""
    runner = make_runner()
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.train_loop._iter = 2
    return runner, dict(state_dict=runner.model.state_dict(), message_hub=runner.message_hub.state_dict())


def test_a_state_goes_into_a_checkpoint_and_comes_out_again_once(resumed):
    (runner, checkpoint), hook = resumed, AtomicCheckpointHook()
    runner.train_loop.dataloader.position = 4
    hook.before_save_checkpoint(runner, checkpoint)
    expected = torch.rand(1)
    runner.train_loop.dataloader.position = 0
    hook.after_load_checkpoint(runner, checkpoint)
    assert runner.train_loop.dataloader.position == 0 and 'training_state' not in checkpoint
    hook.before_train_epoch(runner)
    assert runner.train_loop.dataloader.position == 4 and torch.equal(torch.rand(1), expected)
    hook.before_train_epoch(runner)
    assert not torch.equal(torch.rand(1), expected)


def test_what_a_run_starts_from_is_no_state_of_it(resumed):
    (runner, checkpoint), hook = resumed, AtomicCheckpointHook()
    hook.before_save_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, checkpoint)
    runner.train_loop._iter = 0
    saved = torch.get_rng_state()
    torch.rand(1)
    hook.before_train_epoch(runner)
    assert not torch.equal(torch.get_rng_state(), saved)


ENTRIES = 100_000


def logging(hub_name, **options):
    """What is asked of a Runner."""
    return SimpleNamespace(message_hub=MessageHub(hub_name), log_processor=LogProcessor(by_epoch=False, **options))


def log(runner, bounded, values):
    for value in values:
        bounded.shorten(runner.message_hub.log_scalars)
        runner.message_hub.update_scalar('train/loss_g', value)


def size(runner):
    checkpoint = dict(message_hub=runner.message_hub.state_dict())
    make_plain(checkpoint)
    file = io.BytesIO()
    torch.save(checkpoint, file)
    return file.tell()


@pytest.fixture(scope='module')
def long_run():
    """A log of a hundred entries, and then of a hundred thousand: size of a checkpoint, numbers held."""
    runner, found = logging('long'), []
    bounded = BoundedLog(runner.log_processor)
    for entries in (100, ENTRIES - 100):
        log(runner, bounded, [0.123] * entries)
        found.append((size(runner), len(runner.message_hub.get_scalar('train/loss_g').data[0])))
    return found


def test_a_checkpoint_does_not_grow_with_the_log(long_run):
    (before, _), (after, _) = long_run
    assert after == before


def test_a_scalar_costs_the_same_after_a_hundred_thousand(long_run):
    (_, before), (_, after) = long_run  # mmengine copies what it holds for each entry
    assert after == before == 10


def test_what_is_logged_stays_the_same():
    """Means over every window that the config asks for are those of the whole log."""
    cfg = [dict(data_src='loss_g', log_name='short', method_name='mean', window_size=3),
           dict(data_src='loss_g', log_name='long', method_name='max', window_size=20)]
    bounded, whole = (logging(name, window_size=10, custom_cfg=cfg) for name in 'bw')
    values = [float(i * 37 % 101) for i in range(60)]
    log(bounded, BoundedLog(bounded.log_processor), values)
    log(whole, SimpleNamespace(shorten=lambda scalars: None), values)
    assert len(bounded.message_hub.get_scalar('train/loss_g').data[0]) == 20
    told = [runner.log_processor._collect_scalars(cfg, runner, 'train') for runner in (bounded, whole)]
    assert told[0] == told[1] and told[0].keys() == {'loss_g', 'short', 'long'}


def test_a_window_over_the_whole_run_is_kept_whole():
    runner = logging('g', custom_cfg=[dict(data_src='loss_g', method_name='mean', window_size='global')])
    bounded = BoundedLog(runner.log_processor)
    log(runner, bounded, [1.0] * 50)
    runner.message_hub.update_scalar('train/time', 1.0)
    bounded.shorten(runner.message_hub.log_scalars)
    assert len(runner.message_hub.get_scalar('train/loss_g').data[0]) == 50
    assert runner.message_hub.get_scalar('train/time').max_length == 10


def test_training_has_a_bounded_log(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 3, 'log_processor.window_size': 2})
    runner.train()
    lengths = {len(buffer.data[0]) for buffer in runner.message_hub.log_scalars.values()}
    assert lengths == {2}
    saved = torch.load(f'{runner.work_dir}/iter_3.pth', weights_only=True)['message_hub']['log_scalars']
    assert {len(scalar['values']) for scalar in saved.values()} == {2} and len(saved) > 10
