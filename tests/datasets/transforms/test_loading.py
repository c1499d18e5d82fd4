import pickle

import cv2
import numpy as np
import pytest
import torch

from tempseg_mm.datasets.transforms.loading import LoadClip, LoadFlow
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.flo_file import write_flo
from tempseg_mm.registry import TRANSFORMS


@pytest.fixture
def sequence(tmp_path):
    """Four frames of 20 x 30 whose red channel is 10 t; flow (t, -t)."""
    frames, masks, flow = [], [], []
    for t in range(4):
        frames.append(str(tmp_path / f'{t}.png'))
        cv2.imwrite(frames[-1], np.full((20, 30, 3), (0, 0, 10 * t), np.uint8))
        masks.append(str(tmp_path / f'm{t}.png'))
        cv2.imwrite(masks[-1], np.pad(np.full((5, 6), 255, np.uint8), ((t, 15 - t), (0, 24))))
        flow.append(str(tmp_path / f'{t}.flo'))
        write_flo(flow[-1], np.broadcast_to(np.float32([t, -t]), (20, 30, 2)))
    return VOSSequence('ball', tuple(frames), tuple(masks), flow_paths=tuple(flow[:3]))


def clip(sequence, ids, size=None):
    return dict(sequence=sequence, frame_ids=ids, size=size)


def test_load_clip(sequence):
    results = LoadClip()(clip(sequence, [1, 2, 3]))
    assert results['sequence_name'] == 'ball'
    assert [frame[0, 0].tolist() for frame in results['frames']] == [[10, 0, 0], [20, 0, 0], [30, 0, 0]]
    assert [int(mask.argmax(axis=0)[0]) for mask in results['gt_masks']] == [1, 2, 3]
    assert [field[3, 4].tolist() for field in results['flow']] == [[1, -1], [2, -2]]


def test_working_size(sequence):
    results = LoadClip()(clip(sequence, [1, 2], (10, 60)))
    assert results['frames'][0].shape == (10, 60, 3) and results['gt_masks'][1].shape == (10, 60)
    np.testing.assert_allclose(results['flow'][0][5, 5], [2, -0.5])


@pytest.mark.parametrize('ids', [[0, 2], [0, 1, 3], [3, 2], [1]])
def test_flow_only_between_neighbours(sequence, ids):
    results = LoadClip()(clip(sequence, ids))
    assert 'flow' not in results and len(results['frames']) == len(ids)


def test_flow_can_be_left_out(sequence):
    assert 'flow' not in LoadClip(with_flow=False)(clip(sequence, [0, 1]))


def test_flow_is_all_or_nothing(sequence):
    partly = VOSSequence('ball', sequence.frame_paths, sequence.mask_paths,
                         flow_paths=(sequence.flow_paths[0], None, sequence.flow_paths[2]))
    assert 'flow' not in LoadClip()(clip(partly, [0, 1, 2]))
    assert 'flow' in LoadClip()(clip(partly, [0, 1]))


def test_unannotated_frame(sequence):
    partly = VOSSequence('ball', sequence.frame_paths, (*sequence.mask_paths[:3], None))
    with pytest.raises(ValueError, match="frame 3 of sequence 'ball' is not annotated"):
        LoadClip()(clip(partly, [2, 3]))


class Difference(FlowProvider):
    signature = 'Difference()'

    def estimate(self, frames, next_frames):
        return (next_frames.float() - frames.float())[:, :2]


def test_load_flow_fills_what_is_missing(sequence):
    results = LoadFlow(Difference())(LoadClip(with_flow=False)(clip(sequence, [0, 1, 3])))
    assert [field.shape for field in results['flow']] == [(20, 30, 2)] * 2
    assert [field[0, 0].tolist() for field in results['flow']] == [[10, 0], [20, 0]]
    assert results['flow'][0].dtype == np.float32


def test_load_flow_keeps_what_is_there(sequence):
    results = LoadClip()(clip(sequence, [1, 2]))
    assert LoadFlow(Difference())(results)['flow'][0][0, 0].tolist() == [1, -1]


def test_load_flow_of_a_single_frame(sequence):
    assert LoadFlow(Difference())(LoadClip()(clip(sequence, [1])))['flow'] == []


def test_load_flow_from_config_is_built_in_the_worker():
    frames = list(np.random.default_rng(0).integers(0, 255, (3, 40, 40, 3), dtype=np.uint8))
    transform = TRANSFORMS.build(dict(type='LoadFlow', provider=dict(type='ZeroFlow')))
    assert isinstance(transform.provider, dict)
    copy = pickle.loads(pickle.dumps(transform))
    assert not np.any(copy(dict(frames=frames))['flow'])
    flow = LoadFlow()(dict(frames=frames))['flow']  # DIS by default
    assert len(flow) == 2 and torch.isfinite(torch.from_numpy(flow[0])).all()
