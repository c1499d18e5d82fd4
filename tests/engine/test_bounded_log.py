import io
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.runner import LogProcessor

from tempseg_mm.engine.bounded_log import BoundedLog
from tempseg_mm.engine.checkpoints import make_plain

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
