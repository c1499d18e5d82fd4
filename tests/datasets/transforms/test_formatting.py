import numpy as np
import pytest
import torch

from tempseg_mm.datasets.transforms.formatting import PackClip
from tempseg_mm.registry import TRANSFORMS


def make_clip(frames=3, size=(97, 131)):
    rng = np.random.default_rng(0)
    return dict(
        frames=list(rng.integers(0, 255, (frames, *size, 3), dtype=np.uint8)),
        gt_masks=list(rng.integers(0, 2, (frames, *size), dtype=np.uint8)),
        flow=list(rng.normal(size=(frames - 1, *size, 2)).astype(np.float32)))


def test_shapes_dtypes_and_values():
    clip = make_clip()
    packed = TRANSFORMS.build(dict(type='PackClip'))(dict(clip, sequence_name='bear', frame_ids=[4, 5, 6]))
    assert set(packed) == {'inputs', 'data_samples'}
    inputs, sample = packed['inputs'], packed['data_samples']
    assert inputs.shape == (3, 3, 97, 131) and inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert sample.gt_masks.shape == (3, 1, 97, 131) and sample.gt_masks.dtype == torch.uint8
    assert sample.flow.shape == (2, 2, 97, 131) and sample.flow.dtype == torch.float32
    assert sample.sequence == 'bear' and sample.frame_ids == [4, 5, 6]
    assert inputs[1, :, 7, 9].tolist() == clip['frames'][1][7, 9].tolist()
    assert sample.flow[1, :, 7, 9].tolist() == clip['flow'][1][7, 9].tolist()
    assert sample.gt_masks[2, 0, 7].tolist() == clip['gt_masks'][2][7].tolist()


def test_reference_masks_default_to_the_ground_truth_of_their_frames():
    clip = make_clip()
    sample = PackClip()(clip)['data_samples']
    assert torch.equal(sample.reference_masks, sample.gt_masks) and 'first_reference' not in sample
    assert torch.equal(sample.first_reference, sample.gt_masks[:1])
    given = PackClip()(dict(clip, reference_masks=clip['gt_masks'][::-1]))['data_samples']
    assert torch.equal(given.reference_masks[0], given.gt_masks[2])


def test_the_first_reference_is_packed_where_there_is_one():
    clip = make_clip()
    sample = PackClip()(dict(clip, first_reference=clip['gt_masks'][2]))['data_samples']
    assert sample.first_reference.shape == (1, 1, 97, 131) and sample.first_reference.dtype == torch.uint8
    assert torch.equal(sample.first_reference[0], sample.gt_masks[2])
    with pytest.raises(ValueError, match=r"'first_reference' of a clip are \(96, 131\)"):
        PackClip()(dict(clip, first_reference=clip['gt_masks'][0][1:]))


def test_frames_from_memory_need_nothing_else():
    clip = make_clip()
    del clip['flow']
    sample = PackClip()(clip)['data_samples']
    assert 'flow' not in sample and '_flow' not in sample
    assert sample.sequence == '' and sample.frame_ids == [0, 1, 2]


def test_single_frame():
    sample = PackClip()(make_clip(frames=1))['data_samples']
    assert sample.flow.shape == (0, 2, 97, 131) and sample.flow.dtype == torch.float32


def test_wrong_number_and_size():
    clip = make_clip()
    with pytest.raises(ValueError, match="3 frames needs 2 entries in 'flow', got 1"):
        PackClip()(dict(clip, flow=clip['flow'][:1]))
    with pytest.raises(ValueError, match="3 frames needs 3 entries in 'gt_masks', got 2"):
        PackClip()(dict(clip, gt_masks=clip['gt_masks'][:2]))
    with pytest.raises(ValueError, match=r"'gt_masks' of a clip are \(96, 131\), its frames \(97, 131\)"):
        PackClip()(dict(clip, gt_masks=[mask[1:] for mask in clip['gt_masks']]))


def test_void_is_packed_where_there_is_any():
    clip = make_clip()
    assert 'void' not in PackClip()(dict(clip))['data_samples']
    sample = PackClip()(dict(clip, void=clip['gt_masks'][::-1]))['data_samples']
    assert sample.void.dtype == torch.uint8 and torch.equal(sample.void, sample.gt_masks.flip(0))
    with pytest.raises(ValueError, match="a clip of 3 frames needs 3 entries in 'void', got 2"):
        PackClip()(dict(clip, void=clip['gt_masks'][1:]))
