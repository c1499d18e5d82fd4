import numpy as np
import pytest
import torch
from reference.algorithms import splat_frame

from tempseg_mm.ops import warp
from tempseg_mm.ops.warp import backward_warp, forward_splat, landing_pixels, move_mask, references_from


def constant_flow(x, y, height, width, n=1):
    return torch.tensor([x, y], dtype=torch.float32).view(1, 2, 1, 1).expand(n, 2, height, width).clone()



def test_landing_pixel_is_the_nearest_and_a_half_rounds_up():
    flow = torch.zeros(1, 2, 1, 6)
    flow[0, 0, 0] = torch.tensor([0.5, 0.49, -0.5, -0.51, 1.5, -9.])
    x, y = landing_pixels(flow)
    assert x.tolist() == [[[1, 1, 2, 2, 6, -4]]]
    assert y.tolist() == [[[0] * 6]]
    assert x.dtype == torch.int64


def test_landing_pixel_is_exact_far_from_the_origin():
    flow = torch.full((1, 2, 1, 2000), np.nextafter(np.float32(-0.5), np.float32(-1)))  # just beyond the half
    assert torch.equal(landing_pixels(flow)[0][0, 0], torch.arange(2000) - 1)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), float('-inf'), 1e30])
def test_landing_pixel_of_impossible_flow_is_outside(bad):
    x, y = landing_pixels(torch.full((1, 2, 2, 3), bad))
    assert ((x < 0) | (x >= 3)).all() and ((y < 0) | (y >= 2)).all()


def test_zero_flow_leaves_labels_in_place():
    labels = torch.rand(2, 3, 5, 7)
    assert torch.equal(forward_splat(labels, torch.zeros(2, 2, 5, 7)), labels)


def test_x_moves_right_and_y_moves_down():
    labels = torch.zeros(1, 1, 3, 4)
    labels[0, 0, 0, 0] = 1
    moved = forward_splat(labels, constant_flow(2, 1, 3, 4))
    assert moved[0, 0].nonzero().tolist() == [[1, 2]]


def test_last_source_in_raster_order_wins_a_collision_even_with_a_zero():
    labels = torch.tensor([[[[1., 1.], [1., 0.]]]])
    flow = torch.tensor([[1., 0.], [1., 0.]]).repeat(1, 2, 1, 1)
    flow[0, 1] = torch.tensor([[1., 1.], [0., 0.]])  # all four land on the last pixel
    assert forward_splat(labels, flow).tolist() == [[[[0., 0.], [0., 0.]]]]
    labels[0, 0, 1, 1] = 1
    assert forward_splat(labels, flow).tolist() == [[[[0., 0.], [0., 1.]]]]


def test_sources_that_leave_the_frame_do_not_wrap_around():
    assert forward_splat(torch.ones(1, 1, 3, 4), constant_flow(1, 0, 3, 4))[0, 0].tolist() == [[0., 1., 1., 1.]] * 3
    assert forward_splat(torch.ones(1, 1, 3, 4), constant_flow(0, -2, 3, 4))[0, 0, :, 0].tolist() == [1., 0., 0.]


def test_flow_that_is_not_finite_writes_nowhere():
    flow = torch.zeros(1, 2, 1, 4)
    flow[0, 0, 0, :3] = torch.tensor([float('nan'), float('inf'), float('-inf')])
    assert forward_splat(torch.ones(1, 1, 1, 4), flow).tolist() == [[[[0., 0., 0., 1.]]]]


@pytest.mark.parametrize('dtype', [torch.uint8, torch.bool, torch.float64])
def test_forward_splat_keeps_the_dtype_of_labels(dtype):
    labels = torch.tensor([[[[0, 1, 1]]]]).to(dtype)
    moved = forward_splat(labels, constant_flow(1, 0, 1, 3))
    assert moved.dtype == dtype and moved.tolist() == torch.tensor([[[[0, 0, 1]]]]).to(dtype).tolist()


def test_arguments_are_left_as_they_were():
    labels, flow = torch.rand(1, 1, 6, 6), torch.randn(1, 2, 6, 6)
    kept = labels.clone(), flow.clone()
    forward_splat(labels, flow), move_mask(labels, flow), backward_warp(labels, flow), landing_pixels(flow)
    assert torch.equal(labels, kept[0]) and torch.equal(flow, kept[1])


def test_forward_splat_equals_the_loops():
    rng = np.random.default_rng(0)
    for case in range(300):
        height, width = rng.integers(1, 14, 2)
        labels = (rng.random((2, height, width)) < rng.choice([0., 0.3, 1.])).astype(np.float32)
        flow = rng.uniform(-8, 8, (2, height, width, 2)).astype(np.float32)
        if case % 2:
            flow = np.round(flow * 2) / 2  # halves
        moved = forward_splat(torch.from_numpy(labels)[:, None], torch.from_numpy(flow).permute(0, 3, 1, 2))
        expected = [splat_frame(one, motion) for one, motion in zip(labels, flow, strict=True)]
        assert np.array_equal(moved[:, 0].numpy(), expected), (case, height, width)


@pytest.mark.parametrize('name, value', [('_BLOCK', 1), ('_BLOCK', 200), ('_EXACT', 1)])
def test_blocks_and_large_frames_give_the_same(monkeypatch, name, value):
    generator = torch.Generator().manual_seed(0)
    labels, flow = torch.rand(5, 2, 8, 9, generator=generator), torch.randn(5, 2, 8, 9, generator=generator) * 4
    expected = forward_splat(labels, flow)
    monkeypatch.setattr(warp, name, value)
    assert torch.equal(forward_splat(labels, flow), expected)


def test_an_empty_batch_stays_empty():
    assert forward_splat(torch.zeros(0, 1, 4, 4), torch.zeros(0, 2, 4, 4)).shape == (0, 1, 4, 4)


def test_forward_splat_has_a_gradient_to_labels():
    labels = torch.rand(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    flow = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: forward_splat(x, flow), labels)


def test_backward_warp_with_zero_flow_is_the_identity():
    image = torch.rand(2, 3, 48, 854, generator=torch.Generator().manual_seed(0))
    for padding in ('border', 'zeros'):
        assert torch.allclose(backward_warp(image, torch.zeros(2, 2, 48, 854), padding), image, atol=1e-4)


def test_backward_warp_samples_where_the_flow_points():
    ramp = torch.arange(6.).view(1, 1, 1, 6).expand(1, 1, 4, 6)
    assert torch.allclose(backward_warp(ramp, constant_flow(1.5, 0, 4, 6))[0, 0, 0],
                          torch.tensor([1.5, 2.5, 3.5, 4.5, 5., 5.]), atol=1e-5)
    assert torch.allclose(backward_warp(ramp, constant_flow(2, 0, 4, 6), 'zeros')[0, 0, 0],
                          torch.tensor([2., 3., 4., 5., 0., 0.]), atol=1e-5)
    down = ramp.new_tensor([0., 1., 2., 3.]).view(1, 1, 4, 1).expand(1, 1, 4, 6)
    assert torch.allclose(backward_warp(down, constant_flow(0, -1, 4, 6))[0, 0, :, 0], torch.tensor([0., 0., 1., 2.]),
                          atol=1e-5)


def test_backward_warp_undoes_forward_splat_of_a_shift():
    image = torch.rand(1, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    flow = constant_flow(2, -1, 9, 9)
    back = backward_warp(forward_splat(image, flow), flow)
    assert torch.allclose(back[..., 1:, :-2], image[..., 1:, :-2], atol=1e-5)


def test_backward_warp_of_a_frame_one_pixel_wide():
    image = torch.arange(4.).view(1, 1, 4, 1)
    assert torch.allclose(backward_warp(image, torch.zeros(1, 2, 4, 1), 'zeros'), image, atol=1e-6)
    assert backward_warp(image, constant_flow(1, 0, 4, 1), 'zeros').abs().max() < 1e-6


def test_move_mask_with_zero_flow_is_the_identity():
    mask = torch.rand(2, 1, 7, 9)
    assert torch.equal(move_mask(mask, torch.zeros(2, 2, 7, 9)), mask)


def test_move_mask_by_whole_pixels_is_exact_and_fills_the_uncovered_rim():
    mask = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    moved = move_mask(mask, constant_flow(3, -2, 8, 8))
    assert torch.equal(moved[..., :6, 3:], mask[..., 2:, :5])
    assert (moved[..., :3] > 0).all()
    assert torch.equal(move_mask(mask, constant_flow(3, -2, 8, 8), fill_rounds=0)[..., :3], torch.zeros(1, 1, 8, 3))


def test_move_mask_by_a_fraction_interpolates():
    mask = torch.tensor([[[[0., 1., 0., 0.]]]])
    moved = move_mask(mask, constant_flow(0.25, 0, 1, 4), fill_rounds=0)
    assert torch.allclose(moved, torch.tensor([[[[0., 0.75, 0.25, 0.]]]]))


def test_move_mask_closes_the_hole_of_a_growing_object():
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., 8:16, 8:16] = 1
    y, x = torch.meshgrid(torch.arange(24.), torch.arange(24.), indexing='ij')
    flow = torch.stack([x - 12, y - 12])[None] * 1.0  # twice the size: every second pixel is a hole
    moved = move_mask(mask, flow)
    assert (forward_splat(mask, flow)[..., 6:18, 6:18] == 0).any()
    assert (moved[..., 5:18, 5:18] > 0.5).all()
    assert moved.min() >= 0 and moved.max() <= 1


def test_move_mask_leaves_what_nobody_reaches_empty():
    assert move_mask(torch.ones(1, 1, 6, 30), constant_flow(20, 0, 6, 30))[..., :10].sum() == 0
    assert move_mask(torch.ones(1, 1, 6, 6), constant_flow(float('nan'), 0, 6, 6)).sum() == 0


def test_move_mask_conserves_the_mean_of_what_lands_together():
    flow = torch.zeros(1, 2, 1, 3)
    flow[0, 0, 0, 0] = 1
    assert move_mask(torch.tensor([[[[1., 0., 0.]]]]), flow, fill_rounds=0).tolist() == [[[[0., 0.5, 0.]]]]


def test_move_mask_keeps_half_precision():
    assert move_mask(torch.ones(1, 1, 4, 4, dtype=torch.float16), torch.zeros(1, 2, 4, 4)).dtype == torch.float16


@pytest.mark.parametrize('move', [forward_splat, backward_warp, move_mask])
def test_shapes_that_do_not_match_are_named(move):
    with pytest.raises(ValueError, match=r'flow must be \(N, 2, H, W\), x then y, got \(1, 3, 4, 4\)'):
        move(torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match=r'its flow \(1, 2, 4, 4\), got \(1, 1, 4, 5\)'):
        move(torch.zeros(1, 1, 4, 5), torch.zeros(1, 2, 4, 4))
    with pytest.raises(ValueError, match='floating point, in pixels, got torch.int64'):
        move(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4, dtype=torch.int64))


def test_unknown_padding_is_named():
    with pytest.raises(ValueError, match="'border' or 'zeros', got 'reflect'"):
        backward_warp(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4), 'reflect')


def test_references_are_the_masks_before_at_their_new_place():
    masks = torch.zeros(1, 3, 1, 8, 8)
    for t in range(3):
        masks[0, t, 0, 2:4, 1 + t:3 + t] = 1
    flow = torch.zeros(1, 2, 2, 8, 8)
    flow[:, :, 0] = 1
    first = torch.full((1, 1, 1, 8, 8), 0.5)
    references = references_from(masks, first, flow)
    assert torch.equal(references[:, :1], first)
    assert torch.equal(references[:, 1:], masks[:, 1:])
    assert torch.equal(references_from(masks[:, :1], first, flow[:, :0]), first)
