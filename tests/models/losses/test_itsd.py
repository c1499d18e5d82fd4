import numpy as np
import pytest
import torch
from reference import algorithms

from tempseg_mm.models.losses.itsd import ITSDLoss, itsd_loss, itsd_score, itsd_target
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def rows(*lines):
    """(1, 1, H, W) mask from strings of 0 and 1."""
    return torch.tensor([[[[float(c) for c in line] for line in lines]]])


def random_masks(n, height, width, seed=0, density=0.4):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(n, 1, height, width, generator=generator) < density).float()


def clips(t=3, height=9, width=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, t, 1, height, width, generator=generator)
    gt = (torch.rand(2, t, 1, height, width, generator=generator) < 0.4).float()
    flow = torch.randn(2, t - 1, 2, height, width, generator=generator) * 2
    return ClipPrediction(logits), ClipBatch(torch.zeros(2, t, 3, height, width), gt, gt, flow)


def test_score_by_hand():
    pred = rows('1100', '1100', '0011', '0000')
    warped = rows('1000', '1101', '0011', '0100')
    # patches: 1 wrong of 4; 1 of 1; 1 of 1; 0 of 2
    assert itsd_score(pred, warped, 2).tolist() == [(1 / 4 + 1 + 1 + 0) / 4]


def test_score_of_equal_empty_and_disjoint_masks():
    full, empty = torch.ones(2, 1, 6, 7), torch.zeros(2, 1, 6, 7)
    assert itsd_score(full, full).tolist() == itsd_score(empty, empty).tolist() == [0, 0]
    assert itsd_score(full, empty).tolist() == itsd_score(empty, full).tolist() == [1, 1]


def test_score_is_kept_apart_per_mask():
    pred, warped = torch.zeros(2, 3, 1, 4, 4), torch.zeros(2, 3, 1, 4, 4)
    pred[1, 2] = 1
    assert itsd_score(pred, warped).tolist() == [[0, 0, 0], [0, 0, 1]]


def test_border_patches_count_as_whole_patches():
    pred, warped = torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, 5, 5)
    pred[..., 4, 4] = 1
    assert itsd_score(pred, warped).tolist() == [0.25]


@pytest.mark.parametrize('patch_size', [2, 3, 4])
def test_algorithm_2_from_masks_and_flow_to_score_equals_the_loops(patch_size):
    rng = np.random.default_rng(10 + patch_size)
    for case in range(40):
        height, width = rng.integers(1, 16, 2)
        density = rng.choice([0., 0.1, 0.5, 1.])
        gt, pred = (rng.random((2, height, width)) < density).astype(np.float32)
        flow = (np.round(rng.uniform(-8, 8, (height, width, 2)) * 2) / 2).astype(np.float32)
        clip = torch.from_numpy(np.stack([gt, np.zeros_like(gt)]))[None, :, None]
        target = itsd_target(clip, torch.from_numpy(flow).permute(2, 0, 1)[None, None], patch_size)
        score = itsd_score(torch.from_numpy(pred)[None, None, None], target, patch_size)
        expected = algorithms.itsd_score(gt, pred, flow, patch_size)
        assert score.item() == pytest.approx(expected, abs=1e-6), (case, gt.shape)


@pytest.mark.parametrize('patch_size', [1, 2, 3, 4])
def test_soft_form_on_binary_masks_is_the_score(patch_size):
    for seed in range(30):
        height, width = 1 + seed % 13, 1 + 7 * seed % 17
        pred = random_masks(3, height, width, seed, density=seed / 29)
        warped = random_masks(3, height, width, seed + 100)
        score = itsd_score(pred, warped, patch_size).mean().item()
        assert itsd_loss(pred, warped, patch_size).item() == pytest.approx(score, rel=1e-6), (height, width)


def test_soft_form_by_hand():
    pred = torch.tensor([[[[0.5, 0.], [0., 0.25]]]])
    warped = rows('10', '00')
    # wrong: 0.5 + 0.25; union: 1 + 0.75 - 0.5
    assert itsd_loss(pred, warped, 2).item() == pytest.approx(0.75 / 1.25)
    assert itsd_loss(pred, warped, 2, smooth=1.).item() == pytest.approx(0.75 / 2.25)


@pytest.mark.parametrize('patch_size', [2, 3, 4])
@pytest.mark.parametrize('smooth', [0., 1.])
def test_gradcheck(patch_size, smooth):
    generator = torch.Generator().manual_seed(patch_size)
    pred = torch.rand(2, 1, 5, 7, dtype=torch.float64, generator=generator).requires_grad_()
    warped = random_masks(2, 5, 7).double()
    assert torch.autograd.gradcheck(lambda p: itsd_loss(p, warped, patch_size, smooth), pred)


@pytest.mark.parametrize('value', [0., 1e-45, 1e-38, 1e-30, 1e-19, 1e-10, 1.])
@pytest.mark.parametrize('smooth', [0., 1.])
def test_gradient_is_finite_however_small_the_union(value, smooth):
    pred = torch.full((1, 1, 8, 8), value, requires_grad=True)
    for warped in (torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8), random_masks(1, 8, 8, density=0.05)):
        pred.grad = None
        (itsd_loss(pred, warped, smooth=smooth) * 65536).backward()  # the scale of mixed precision
        assert pred.grad.isfinite().all()


def test_without_smoothing_an_empty_target_has_no_gradient_and_with_it_pushes_down():
    pred = torch.full((1, 1, 4, 4), 0.2, requires_grad=True)
    loss = itsd_loss(pred, torch.zeros(1, 1, 4, 4))
    assert loss.item() == pytest.approx(1)
    assert torch.autograd.grad(loss, pred)[0].abs().max() < 1e-6
    assert torch.autograd.grad(itsd_loss(pred, torch.zeros(1, 1, 4, 4), smooth=1.), pred)[0].min() > 0


def test_gradient_descent_reaches_the_target():
    warped = rows('0000', '0110', '0110', '0000').repeat(1, 1, 2, 2)
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        itsd_loss(logits.sigmoid(), warped).backward()
        optimizer.step()
    assert torch.equal((logits > 0).float(), warped)


def test_target_of_entry_t_is_frame_t_moved():
    gt = torch.zeros(1, 3, 1, 6, 8)
    gt[0, 0, 0, 2, 2], gt[0, 1, 0, 4, 4], gt[0, 2] = 1, 1, 1
    flow = torch.zeros(1, 2, 2, 6, 8)
    flow[0, 0, 0], flow[0, 1, 1] = 1., -2.  # first to the right by 1, then up by 2
    target = itsd_target(gt, flow)
    assert target.shape == (1, 2, 1, 6, 8)
    assert target.nonzero()[:, [1, 3, 4]].tolist() == [[0, 2, 3], [1, 2, 4]]


def test_no_gradient_reaches_target_or_flow():
    prediction, batch = clips()
    gt, flow = batch.gt_masks.clone().requires_grad_(), batch.flow.clone().requires_grad_()
    assert not itsd_target(gt, flow).requires_grad
    pred = torch.rand(1, 1, 4, 4, requires_grad=True)
    warped = torch.rand(1, 1, 4, 4, requires_grad=True)
    itsd_loss(pred, warped).backward()
    assert pred.grad is not None and warped.grad is None


def test_module_compares_prediction_with_the_frame_before():
    prediction, batch = clips()
    target = torch.stack([torch.from_numpy(np.stack([
        algorithms.target_mask(batch.gt_masks[n, t, 0].numpy(), batch.flow[n, t].permute(1, 2, 0).numpy(), 3)
        for t in range(2)])) for n in range(2)])[:, :, None]
    expected = itsd_loss(torch.sigmoid(prediction.logits[:, 1:]), target, 3, 0.5)
    loss = ITSDLoss(0.4, patch_size=3, smooth=0.5)(prediction, batch)
    assert loss.item() == pytest.approx(0.4 * expected.item())


def test_module_is_zero_for_a_prediction_that_follows_the_flow():
    _, batch = clips()
    target = itsd_target(batch.gt_masks, batch.flow)
    logits = torch.cat([batch.gt_masks[:, :1], target], dim=1).mul(2).sub(1).mul(200)
    assert ITSDLoss()(ClipPrediction(logits), batch).item() == pytest.approx(0, abs=1e-6)


def test_half_precision_is_raised():
    pred = torch.full((1, 1, 480, 16), 0.5, dtype=torch.float16)
    assert itsd_loss(pred, torch.ones_like(pred)).dtype == torch.float32


def test_errors():
    prediction, batch = clips()
    one = ClipBatch(batch.frames[:, :1], batch.gt_masks[:, :1], batch.gt_masks[:, :1], batch.flow[:, :0])
    with pytest.raises(ValueError, match='at least two frames, got T = 1'):
        ITSDLoss()(ClipPrediction(prediction.logits[:, :1]), one)
    with pytest.raises(ValueError, match=r'must be \(2, 2, 2, 9, 10\), got \(2, 3, 2, 9, 10\)'):
        itsd_target(batch.gt_masks, torch.zeros(2, 3, 2, 9, 10))
    for compare in (itsd_loss, itsd_score):
        with pytest.raises(ValueError, match=r'same shape, got \(1, 1, 4, 4\) and \(1, 1, 4, 5\)'):
            compare(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5))
        with pytest.raises(ValueError, match=r'must be \(..., 1, H, W\), got \(2, 4, 4\)'):
            compare(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4))
        with pytest.raises(ValueError, match='patch_size must be at least 1'):
            compare(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), 0)
    for smooth in (-1., float('nan')):
        with pytest.raises(ValueError, match='smooth must be at least 0'):
            itsd_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), smooth=smooth)
        with pytest.raises(ValueError, match='smooth must be at least 0'):
            ITSDLoss(smooth=smooth)
    with pytest.raises(ValueError, match='patch_size must be at least 1'):
        ITSDLoss(patch_size=0)
