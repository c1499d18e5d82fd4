"""Runs that meet in one folder: at the same time, and one after another that was interrupted."""

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer import VOSInferencer

ONE = dict(type='OnlineFinetuneHook', finetuner=dict(
    type='OnlineFinetuner', optimizer=dict(type='Adam', lr=0.01), pipeline=[dict(type='PackClip')]))


@pytest.fixture
def make_inferencer(model_cfg):
    def make(steps=1):
        model = dict(model_cfg, adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
        return VOSInferencer(dict(model=model, default_hooks=dict(finetune=ONE)), device='cpu', steps=steps)
    return make


@pytest.fixture
def scene(make_sequence):
    sequence = make_sequence(5)
    return sequence.frames, sequence.masks


def stop_at(stage, step):
    def on_progress(now, done, total):
        if (now, done) == (stage, step):
            raise KeyboardInterrupt
    return on_progress


def test_a_second_run_in_the_folder_is_refused_while_one_runs(make_inferencer, scene, tmp_path):
    (frames, masks), refused, arguments = scene, [], dict(out_dir=tmp_path / 'out', pictures=False)

    def another(stage, done, total):
        for how in ({}, dict(overwrite=True), dict(resume=True)):
            with pytest.raises(BlockingIOError, match='is being written by process'):
                make_inferencer()(frames, masks[0], **how, **arguments)
        refused.append(stage)
    make_inferencer()(frames[:2], masks[0], on_progress=another, **arguments)
    assert set(refused) == {'fine-tuning', 'forwards'}
    assert sorted(path.name for path in (tmp_path / 'out').rglob('*')) == [
        '00000.png', '00001.png', 'masks', 'result.json']
    make_inferencer()(frames, masks[0], overwrite=True, **arguments)


def test_to_begin_again_after_a_stop_learns_the_object_that_is_given_now(make_inferencer, scene, tmp_path):
    frames, masks = scene
    other = np.ascontiguousarray(1 - masks[0])
    arguments = dict(pictures=False)
    with pytest.raises(KeyboardInterrupt):
        make_inferencer(2)(frames, masks[0], out_dir=tmp_path / 'out', on_progress=stop_at('forwards', 2), **arguments)
    assert (tmp_path / 'out/.resume/adapted/object_1.pth').exists()
    again = make_inferencer(2)(frames, other, out_dir=tmp_path / 'out', overwrite=True, **arguments)
    alone = make_inferencer(2)(frames, other, out_dir=tmp_path / 'alone', **arguments)
    assert again.finetune_losses == alone.finetune_losses
    for path in (tmp_path / 'alone/masks').iterdir():
        assert path.read_bytes() == (tmp_path / 'out/masks' / path.name).read_bytes()


def as_arrays(frames, folder):
    return frames


def as_images(frames, folder):
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f'{i}.bmp')  # of one size, whatever is in it
    return folder


def as_video(frames, folder):
    folder.mkdir(exist_ok=True)
    writer = cv2.VideoWriter(str(folder / 'shot.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 12, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(frame)
    writer.release()
    return folder / 'shot.avi'


@pytest.mark.parametrize('given_as', [as_arrays, as_images, as_video])
def test_resuming_is_refused_when_frames_of_the_same_names_have_changed(make_inferencer, scene, tmp_path, given_as):
    (frames, masks), arguments = scene, dict(out_dir=tmp_path / 'out', pictures=False)
    with pytest.raises(KeyboardInterrupt):
        make_inferencer()(given_as(frames, tmp_path / 'in'), masks[0], on_progress=stop_at('forwards', 2), **arguments)
    changed = [*frames[:3], frames[3][:, ::-1].copy(), *frames[4:]]
    with pytest.raises(ValueError, match=r'the frames are not those of the interrupted run in .*/out: .*is changed, '
                                         'and the masks of both would be mixed. .*--overwrite'):
        make_inferencer()(given_as(changed, tmp_path / 'in'), masks[0], resume=True, **arguments)
    make_inferencer()(given_as(frames, tmp_path / 'in'), masks[0], resume=True, **arguments)  # written anew, but equal
    assert len(list((tmp_path / 'out/masks').iterdir())) == 5
