from pathlib import Path

import numpy as np
import torch
from devices import on

from tempseg_mm.models.losses.itsd import itsd_target


class Spy:
    """Keeps what the visualizer is given."""

    def __init__(self, runner, monkeypatch):
        self.calls = []
        monkeypatch.setattr(runner.visualizer, 'add_clip', lambda name, **given: self.calls.append((name, given)))


def picture_runner(make_runner, interval, **options):
    return make_runner(**{'default_hooks.pictures': dict(type='TrainingPictureHook', interval=interval), **options})


def test_at_the_interval_and_at_the_end(make_runner, monkeypatch):
    runner = picture_runner(make_runner, 2)
    spy = Spy(runner, monkeypatch)
    runner.train()
    assert [(name, given['step']) for name, given in spy.calls] == [('train/clip', 2), ('train/clip', 3)]


def test_shows_the_first_clip_of_the_newest_batch(make_runner, monkeypatch):
    runner = picture_runner(make_runner, 100, **{'train_cfg.max_iters': 1})
    spy = Spy(runner, monkeypatch)
    fed = []
    runner.model.data_preprocessor.register_forward_pre_hook(lambda _, args: fed.append(args[0]))
    runner.train()
    (_, given), = spy.calls
    batch = on('cpu', runner.train_loop.last_batch)
    np.testing.assert_array_equal(given['frames'], fed[0]['inputs'][0].permute(0, 2, 3, 1))  # as they came from disk
    np.testing.assert_array_equal(given['gt_masks'], batch.gt_masks[0, :, 0])
    np.testing.assert_array_equal(given['reference_masks'], batch.reference_masks[0, :, 0])
    np.testing.assert_allclose(given['pred_masks'], runner.train_loop.last_prediction.masks[0, :, 0].detach().cpu())
    np.testing.assert_array_equal(given['flow'], batch.flow[0].permute(0, 2, 3, 1))
    warped = itsd_target(batch.gt_masks, batch.flow, 4)
    assert torch.equal(torch.as_tensor(given['warped_target']), warped[0, :, 0].float())


def test_lands_on_disk(make_runner):
    runner = picture_runner(make_runner, 100, **{'train_cfg.max_iters': 1})
    runner.train()
    pictures = [path.name for path in Path(runner.work_dir).rglob('vis_image/*.png')]
    assert pictures == ['train_clip_1.png']


def test_clips_of_one_frame(make_runner, monkeypatch):
    runner = picture_runner(make_runner, 1, **{
        'train_cfg.max_iters': 1, 'train_dataloader.dataset.clip_sampler.clip_length': 1,
        **{f'model.losses.{name}': None for name in ('itsd', 'iftl', 'l_iftl')}})
    spy = Spy(runner, monkeypatch)
    runner.train()
    (_, given), = spy.calls
    assert given['pred_masks'].shape == given['reference_masks'].shape == (1, *given['frames'].shape[1:3])
    assert 'flow' not in given and 'warped_target' not in given
