"""Whole calls on a tiny network that learns a bright square; what the parts do alone is tested beside them."""

import json
import re
import tracemalloc

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tempseg_mm.apis.inferencer import VOSInferencer, display
from tempseg_mm.structures import SegmentedFrame
from tempseg_mm.visualization.exporters import write_indexed_png

COLORS = {1: (230, 60, 40), 2: (40, 90, 240)}


def scene(num_frames=8, size=(40, 56), ids=(1,)):
    """Squares of 12 pixels that move to the right, one above the other; frames and labels."""
    frames, masks = [], []
    for t in range(num_frames):
        labels = np.zeros(size, np.uint8)
        for object_id in ids:
            top = 4 + 18 * (object_id - 1)
            labels[top:top + 12, 6 + 2 * t:18 + 2 * t] = object_id
        frame = np.full((*size, 3), 30, np.uint8)
        for object_id in ids:
            frame[labels == object_id] = COLORS[object_id]
        frames.append(frame)
        masks.append(labels)
    return frames, masks


@pytest.fixture
def make_inferencer(model_cfg):
    def make(steps=0, **settings):
        model = dict(model_cfg, adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
        model['data_preprocessor'] = dict(type='VOSDataPreprocessor', flow=dict(type='DISFlow', preset='ultrafast'))
        deform = dict(type='DeformReferenceMask', max_shift=0.1)
        finetuner = dict(type='OnlineFinetuner', optimizer=dict(type='Adam', lr=0.01),
                         pipeline=[deform, dict(type='PackClip')])
        hooks = dict(finetune=dict(type='OnlineFinetuneHook', finetuner=finetuner))
        return VOSInferencer(dict(model=model, default_hooks=hooks), device='cpu', steps=steps, **settings)
    return make


def written(folder):
    return {path.stem: np.asarray(Image.open(path)) for path in sorted((folder / 'masks').iterdir())}


def assert_same_masks(folder, other):
    one, two = written(folder), written(other)
    assert list(one) == list(two)
    for name, labels in one.items():
        np.testing.assert_array_equal(labels, two[name], err_msg=name)


class Blur:
    """A hook of one's own."""

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            if frame.answered:
                frame.probabilities = np.stack([cv2.blur(p, (3, 3)) / 2 for p in frame.probabilities])
            yield frame


def stop_at(stage, step):
    def on_progress(now, done, total):
        if (now, done) == (stage, step):
            raise KeyboardInterrupt
    return on_progress


def test_a_square_is_found_and_everything_written(make_inferencer, tmp_path):
    frames, masks = scene()
    heard = []
    result = make_inferencer(40)(
        frames, masks[0], out_dir=tmp_path / 'out', ground_truth=masks, gif=True, fps=10,
        exports='matte', on_progress=lambda *step: heard.append(step))
    assert result.mean_j[1] > 0.8
    labels = written(tmp_path / 'out')
    assert list(labels) == [f'{i:05d}' for i in range(8)]
    assert all(mask.shape == (40, 56) and set(np.unique(mask)) <= {0, 1} for mask in labels.values())
    np.testing.assert_array_equal(labels['00000'], masks[0])
    assert [record.frame_id for record in result.records] == list(range(8))
    assert result.records[0].given and result.records[3].areas[1] == int((labels['00003'] == 1).sum())
    assert len(result.finetune_losses[1]) == 40 and result.timings['finetune'] > 0
    fit = result.finetune_fit[1]
    assert fit.num_masks == 1 and fit.before < 0.5 < fit.after > 0.8
    assert not any('did not work' in notice for notice in result.notices)
    assert {'read', 'prepare', 'network', 'masks', 'overlay', 'total', 'frames_per_s'} <= result.timings.keys()
    assert heard[0] == ('fine-tuning', 1, 40) and heard[-9:-7] == [('forwards', 8, 8), ('exporting', 1, 8)]
    assert any('No trained weights' in notice for notice in result.notices)
    assert all(path.exists() for path in result.paths.values())
    assert set(result.paths) == {'masks', 'overlay', 'report', 'gif', 'matte', 'result'}
    saved = json.loads(result.result_json.read_text())
    assert saved['mean_j'] == {'1': result.mean_j[1]} and saved['settings']['steps'] == 40
    assert saved['exports'] == {'matte': str(tmp_path / 'out/exports/matte.mp4')}
    assert saved['finetune_fit'] == {'1': dict(num_masks=1, before=fit.before, after=fit.after)}
    assert f'1 mask: {fit.gain}' == json.loads(re.search(
        r'id="data">(.*?)</script>', result.report.read_text(), re.DOTALL).group(1))['gains']['1']
    capture = cv2.VideoCapture(str(result.overlay))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'exports', 'masks', 'overlay.gif', 'overlay.webm', 'report.html', 'result.json']  # no state is left


def test_two_objects_never_overlap_and_are_as_good_as_alone(make_inferencer, tmp_path):
    frames, masks = scene(5, ids=(1, 2))
    inferencer = make_inferencer(40)
    both = inferencer(frames, masks[0], out_dir=tmp_path / 'both', ground_truth=masks, pictures=False)
    assert {1, 2} == set(np.unique(np.stack(list(written(tmp_path / 'both').values())))) - {0}
    for object_id in (1, 2):
        alone = inferencer(frames, np.where(masks[0] == object_id, object_id, 0).astype(np.uint8),
                           out_dir=tmp_path / str(object_id), ground_truth=masks, pictures=False)
        assert alone.finetune_losses[object_id] == both.finetune_losses[object_id]
        assert abs(alone.mean_j[object_id] - both.mean_j[object_id]) < 0.02 < alone.mean_j[object_id] - 0.6


def test_frames_before_a_mask_for_a_later_one_are_segmented_backwards(make_inferencer, tmp_path):
    frames, masks = scene()
    heard = []
    result = make_inferencer(40)(frames, {5: masks[5]}, out_dir=tmp_path / 'out', ground_truth=masks, pictures=False,
                                 on_progress=lambda *step: heard.append(step))
    assert [step for step in heard if step[0] == 'backwards'] == [('backwards', i, 5) for i in range(1, 6)]
    assert all(record.scores[1] > 0.6 for record in result.records if not record.given)
    assert [record.given for record in result.records] == [i == 5 for i in range(8)]
    assert result.records[0].changes == {1: None} and all(record.changes[1] < 0.9 for record in result.records[1:])


def test_given_masks_come_back_as_given_and_later_objects_are_followed_from_there(make_inferencer, tmp_path):
    frames, masks = scene(ids=(1, 2))
    only_first = np.where(masks[0] == 1, 1, 0).astype(np.uint8)
    odd = np.roll(masks[4], 3, axis=1)  # not what any network would say
    make_inferencer(2)(frames, {0: only_first, 4: odd}, out_dir=tmp_path / 'out', pictures=False)
    labels = written(tmp_path / 'out')
    np.testing.assert_array_equal(labels['00000'], only_first)
    np.testing.assert_array_equal(labels['00004'], odd)
    assert all(2 not in labels[f'{i:05d}'] for i in range(4))


@pytest.mark.parametrize('stage, step, refiners, later', [
    ('fine-tuning', 3, (), None), ('backwards', 2, (), None), ('forwards', 2, (), None),
    ('forwards', 6, (Blur(),), None), ('forwards', 6, (), 1), ('forwards', 8, (Blur(),), 1)])
def test_resuming_gives_what_would_have_come(make_inferencer, tmp_path, monkeypatch, stage, step, refiners, later):
    monkeypatch.setattr(SegmentedFrame, 'answer', property(
        lambda frame: (frame.probabilities[1] * 255).astype(np.uint8)))
    frames, masks = scene(ids=(1, 2))
    inferencer = make_inferencer(4)
    inferencer.segmenter.refiners = refiners
    arguments = dict(masks={4: masks[4], 5: masks[5] * (masks[5] == (later or masks[5]))}, pictures=False,
                     ground_truth=masks)
    whole = inferencer(frames, out_dir=tmp_path / 'whole', **arguments)
    with pytest.raises(KeyboardInterrupt):
        inferencer(frames, out_dir=tmp_path / 'part', on_progress=stop_at(stage, step), **arguments)
    assert (tmp_path / 'part/.resume').exists() and not (tmp_path / 'part/overlay.webm').exists()
    assert not list((tmp_path / 'part').rglob('.*.png'))  # nothing half written
    again = make_inferencer(4)
    again.segmenter.refiners = refiners
    torch.rand(3)
    result = again(frames, out_dir=tmp_path / 'part', resume=True, **arguments)
    assert_same_masks(tmp_path / 'part', tmp_path / 'whole')
    assert len(np.unique(written(tmp_path / 'whole')['00006'])) > 5  # probabilities, not only what is above one half
    assert result.records == whole.records and result.finetune_losses == whole.finetune_losses
    assert result.mean_j == whole.mean_j and not (tmp_path / 'part/.resume').exists()


def test_resuming_with_other_settings_is_refused(make_inferencer, tmp_path):
    frames, masks = scene(4)
    with pytest.raises(KeyboardInterrupt):
        make_inferencer(1)(frames, masks[0], out_dir=tmp_path, on_progress=stop_at('forwards', 2))
    with pytest.raises(FileExistsError, match='holds an interrupted run'):
        make_inferencer(1)(frames, masks[0], out_dir=tmp_path)
    with pytest.raises(ValueError, match=r'differs in given_masks\.0 .*; steps \(1 then, 2 now\).*--overwrite'):
        make_inferencer(2)(frames, masks[1], out_dir=tmp_path, resume=True)
    make_inferencer(2)(frames, masks[1], out_dir=tmp_path, overwrite=True, pictures=False)
    with pytest.raises(FileExistsError, match='holds results'):
        make_inferencer(1)(frames, masks[0], out_dir=tmp_path)


def test_what_was_written_may_correct_what_comes(make_inferencer, tmp_path):
    frames, masks = scene(3)
    make_inferencer()(frames, masks[0], out_dir=tmp_path, pictures=False)
    write_indexed_png(tmp_path / 'masks/00001.png', masks[1])
    make_inferencer()(frames, {0: tmp_path / 'masks/00001.png'}, out_dir=tmp_path, overwrite=True, pictures=False)
    np.testing.assert_array_equal(written(tmp_path)['00000'], masks[1])


@pytest.mark.parametrize('as_iterator', [False, True])
def test_one_frame_at_an_odd_size(make_inferencer, tmp_path, as_iterator):
    frames, masks = scene(1, (41, 57))
    result = make_inferencer(1)(iter(frames) if as_iterator else frames, masks, out_dir=tmp_path)
    assert len(result.records) == 1 and result.report.exists()
    np.testing.assert_array_equal(written(tmp_path)['00000'], masks[0])


def test_part_of_a_folder_by_its_own_names(make_inferencer, tmp_path):
    frames, masks = scene(6)
    folder = tmp_path / 'my shot é'
    folder.mkdir()
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f'a {i}.png')
    Image.fromarray(255 * masks[2]).save(tmp_path / 'mask ü.png')
    result = make_inferencer()(folder, tmp_path / 'mask ü.png', out_dir=tmp_path / 'out', start=2, end=5)
    assert list(written(tmp_path / 'out')) == ['a 2', 'a 3', 'a 4']
    assert [record.frame_id for record in result.records] == [2, 3, 4]
    assert result.settings['video'] == str(folder) and result.settings['start'] == 2


def test_what_comes_once_is_segmented_backwards_too(make_inferencer, tmp_path):
    frames, masks = scene(6)
    inferencer = make_inferencer(2)
    inferencer(frames, {3: masks[3]}, out_dir=tmp_path / 'list', pictures=False)
    inferencer(iter(frames), {3: masks[3]}, out_dir=tmp_path / 'iterator', pictures=False)
    assert_same_masks(tmp_path / 'list', tmp_path / 'iterator')


def test_at_a_smaller_working_size_the_way_back_is_the_same(make_inferencer, tmp_path):
    frames, masks = scene(5, (80, 112))
    inferencer = make_inferencer(2, size=40)
    inferencer(frames, {3: masks[3]}, out_dir=tmp_path / 'shrunk', pictures=False)
    inferencer(iter(frames), {3: masks[3]}, out_dir=tmp_path / 'whole', pictures=False)  # put aside as it is
    assert_same_masks(tmp_path / 'shrunk', tmp_path / 'whole')


def test_memory_does_not_grow_with_the_length(make_inferencer, tmp_path):
    frames, masks = scene(1, (64, 96))
    inferencer = make_inferencer(size=32)

    def peak(count):
        tracemalloc.start()
        try:
            copies = (frames[0].copy() for _ in range(count))
            inferencer(copies, masks[0], out_dir=tmp_path / str(count), pictures=False)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    peak(5)  # what is kept after the first call
    few, many = peak(15), peak(50)
    assert many - few < 12 * frames[0].nbytes  # of 35 more


def test_a_box_is_enough_and_its_mask_is_written(make_inferencer, tmp_path):
    frames, masks = scene(2, (60, 80))
    result = make_inferencer(1)(frames, boxes='3,1,20,18', out_dir=tmp_path, pictures=False)
    assert result.paths['given'] == tmp_path / 'given'
    given = np.asarray(Image.open(tmp_path / 'given/00000.png'))
    np.testing.assert_array_equal(written(tmp_path)['00000'], given)
    assert (given == masks[0]).mean() > 0.95


def test_masks_without_pictures(make_inferencer, tmp_path):
    frames, masks = scene(3)
    result = make_inferencer(1)(frames, masks[0], out_dir=tmp_path, pictures=False)
    assert result.paths.keys() == {'masks', 'result'} and len(written(tmp_path)) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ['masks', 'result.json']
    with pytest.raises(ValueError, match='made from the overlay'):
        make_inferencer(1)(frames, masks[0], out_dir=tmp_path / 'other', pictures=False, gif=True)


def test_show(make_inferencer, tmp_path, monkeypatch):
    frames, masks = scene(3)
    monkeypatch.setattr(display.sys, 'platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(OSError, match='no display'):
        make_inferencer()(frames, masks[0], out_dir=tmp_path / 'out', show=True)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('arguments, error, message', [
    (dict(), ValueError, 'a mask or a box is needed'),
    (dict(masks=np.zeros((40, 56), np.uint8)), ValueError, 'is empty'),
    (dict(masks=np.ones((40, 55), np.uint8)), ValueError, '--resize-mask'),
    (dict(masks=np.ones((40, 56), np.uint8), ground_truth='nowhere'), FileNotFoundError, 'must be a folder'),
    (dict(masks='nowhere.png'), FileNotFoundError, 'nowhere.png'),
])
def test_what_is_wrong_is_said_before_any_work(make_inferencer, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        make_inferencer()(scene(3)[0], out_dir=tmp_path / 'out', **arguments)
    assert not (tmp_path / 'out').exists()
