import numpy as np
import pytest
import torch

from tempseg_mm.inference.prepared_frame import FramePreparer, PreparedFrame, frame_preparer


def constant_flow(frames, next_frames):
    """As far to the right as the second frame is brighter."""
    flow = torch.zeros(1, 2, *frames.shape[2:])
    flow[:, 0] = next_frames.float().mean() - frames.float().mean()
    return flow


def picture(value, size=(4, 6)):
    return np.full((*size, 3), value, np.uint8)


def test_the_first_frame_has_no_flow_and_the_next_has_that_from_the_one_before():
    preparer = FramePreparer(constant_flow)
    first, second, third = preparer.first(picture(10)), preparer.following(picture(12)), preparer.following(picture(11))
    assert first.flow is None
    assert (second.flow[0, 0] == 2).all() and (third.flow[0, 0] == -1).all()
    assert third.tensor.dtype == torch.uint8 and (third.tensor == 11).all()
    assert preparer.first(picture(0)).flow is None  # forgets


def test_it_works_at_the_working_size_and_keeps_the_original():
    prepared = FramePreparer(size=2).first(picture(7))
    assert prepared.tensor.shape == (1, 3, 2, 3) and prepared.size == (4, 6)


def test_a_frame_that_was_shrunk_before_is_prepared_alike():
    image = np.random.randint(0, 256, (8, 13, 3), np.uint8)
    whole, again = (FramePreparer(size=5) for _ in range(2))
    prepared = whole.first(image)
    shrunk = np.ascontiguousarray(prepared.tensor[0].permute(1, 2, 0).numpy())
    assert torch.equal(again.first(shrunk, size=(8, 13)).tensor, prepared.tensor)
    assert again.following(shrunk, size=(8, 13)).size == (8, 13)


def test_masks_go_in_and_come_out():
    prepared = FramePreparer(size=2).first(picture(0))
    mask = np.zeros((4, 6), np.uint8)
    mask[:, :2] = 1
    small = prepared.at_working_size(mask)
    assert small[0, 0].tolist() == [[1, 0, 0], [1, 0, 0]]
    large = prepared.at_original_size(small)
    assert large.shape == (4, 6) and large.dtype == np.float32
    np.testing.assert_allclose(large[0], [1, 0.75, 0.25, 0, 0, 0])  # bilinear, by hand


def test_a_reference_is_moved_along_the_flow():
    flow = torch.zeros(1, 2, 1, 4)
    flow[:, 0] = 1
    mask = torch.tensor([[[[1., 0, 0, 0]]]])
    frame = PreparedFrame((1, 4), torch.zeros(1, 3, 1, 4), flow)
    assert frame.reference_from(mask)[0, 0, 0, 1] == 1
    assert PreparedFrame((1, 4), torch.zeros(1, 3, 1, 4)).reference_from(mask) is mask


def test_frames_of_several_sizes_are_refused():
    preparer = FramePreparer()
    preparer.first(picture(0))
    with pytest.raises(ValueError, match=r'this frame is \(4, 5\).*the frames before it are \(4, 6\)'):
        preparer.following(picture(0, (4, 5)))


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r'the given mask is \(3, 6\), but its frame is \(4, 6\)'):
        FramePreparer().first(picture(0)).at_working_size(np.zeros((3, 6), np.uint8))


def test_a_model_that_takes_no_reference_needs_no_flow(make_model):
    assert frame_preparer(make_model(generator=dict(reference_mask='none'))).estimate_flow is None
    assert frame_preparer(make_model()).estimate_flow is not None
