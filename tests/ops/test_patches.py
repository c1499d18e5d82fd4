import numpy as np
import pytest
import torch
from reference.algorithms import target_mask

from tempseg_mm.ops.patches import halo_splat, patch_sums
from tempseg_mm.ops.warp import forward_splat


def random_case(rng, case):
    height, width = rng.integers(1, 21, 2)
    labels = (rng.random((height, width)) < rng.choice([0., 0.2, 0.5, 1.])).astype(np.float32)
    flow = rng.uniform(-8, 8, (height, width, 2)) * rng.choice([0.25, 1.])
    if case % 3 == 1:
        flow = np.round(flow * 2) / 2  # exact halves and whole pixels
    elif case % 3 == 2:
        flow = flow[:1, :1] + rng.uniform(-0.6, 0.6, flow.shape)  # nearly rigid, many collisions at the borders
    return labels, flow.astype(np.float32)


@pytest.mark.parametrize('patch_size', [2, 3, 4])
def test_halo_splat_equals_the_loops_of_algorithm_2(patch_size):
    rng = np.random.default_rng(patch_size)
    for case in range(350):
        labels, flow = random_case(rng, case)
        moved = halo_splat(torch.from_numpy(labels)[None, None], torch.from_numpy(flow).permute(2, 0, 1)[None],
                           patch_size)
        assert np.array_equal(moved[0, 0].numpy(), target_mask(labels, flow, patch_size)), (case, labels.shape)


def test_small_motion_needs_no_more_than_the_halo():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(3, 1, 13, 17, generator=generator) < 0.5).float()
    flow = torch.rand(3, 2, 13, 17, generator=generator) * 4.9 - 2.45  # |round| ≤ 2
    assert torch.equal(halo_splat(labels, flow, 4), forward_splat(labels, flow))


def test_a_wide_halo_is_the_whole_frame():
    generator = torch.Generator().manual_seed(1)
    labels, flow = torch.rand(2, 3, 9, 11, generator=generator), torch.randn(2, 2, 9, 11, generator=generator) * 5
    assert torch.equal(halo_splat(labels, flow, 3, halo=30), forward_splat(labels, flow))


def test_sources_outside_the_window_do_not_reach_the_patch():
    labels, flow = torch.zeros(1, 1, 12, 12), torch.zeros(1, 2, 12, 12)
    labels[0, 0, 5, 1] = 1
    flow[0, 0, 5] = 100.
    flow[0, 0, 5, 1] = 5.  # to column 6 of patch {4 … 7}, whose window begins at 2: column 1 is too far
    assert halo_splat(labels, flow).sum() == 0
    labels[0, 0, 5, 2] = 1
    flow[0, 0, 5, 2] = 5.  # column 2 is in the window
    assert halo_splat(labels, flow)[0, 0].nonzero().tolist() == [[5, 7]]


def test_a_source_outside_the_window_does_not_take_part_in_collisions():
    labels, flow = torch.zeros(1, 1, 1, 12), torch.zeros(1, 2, 1, 12)
    labels[..., 4] = 1
    flow[0, 0, 0, 10] = -6.  # a later source of label 0 also lands on 4, but lies beyond the window {2 … 9}
    assert halo_splat(labels, flow)[0, 0, 0, 4] == 1
    assert forward_splat(labels, flow)[0, 0, 0, 4] == 0


def test_frames_of_a_batch_do_not_mix():
    generator = torch.Generator().manual_seed(2)
    labels, flow = torch.rand(3, 1, 7, 5, generator=generator), torch.randn(3, 2, 7, 5, generator=generator) * 3
    together = halo_splat(labels, flow, 2)
    for n in range(3):
        assert torch.equal(together[n:n + 1], halo_splat(labels[n:n + 1], flow[n:n + 1], 2))


def test_patch_sums_pad_with_zeros():
    x = torch.arange(15.).view(1, 1, 3, 5)
    assert patch_sums(x, 2).tolist() == [[[[0 + 1 + 5 + 6, 2 + 3 + 7 + 8, 4 + 9], [10 + 11, 12 + 13, 14]]]]
    assert patch_sums(x, 8).tolist() == [[[[105.]]]]
    assert torch.equal(patch_sums(x, 1), x)


def test_bad_sizes_are_named():
    labels, flow = torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4)
    with pytest.raises(ValueError, match='patch_size must be at least 1 .* got 0'):
        halo_splat(labels, flow, 0)
    with pytest.raises(ValueError, match='patch_size must be at least 1'):
        patch_sums(labels, 0)
    with pytest.raises(ValueError, match='halo must be at least 0, got -1'):
        halo_splat(labels, flow, halo=-1)
    with pytest.raises(ValueError, match=r'its flow \(1, 2, 4, 4\), got \(2, 1, 4, 4\)'):
        halo_splat(labels.repeat(2, 1, 1, 1), flow)
