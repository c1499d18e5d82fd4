import pytest
import torch

from tempseg_mm.models.losses.overlap import SoftIoULoss, soft_iou_loss
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def masks(*shape, seed=0):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_by_hand():
    pred, gt = torch.tensor([[[1., 0.5, 0., 0.25]]]), torch.tensor([[[1., 0., 1., 0.]]])
    both, union = 1., 1.75 + 2 - 1
    assert soft_iou_loss(pred, gt, smooth=0.5).item() == pytest.approx(1 - (both + 0.5) / (union + 0.5))


def test_on_binary_masks_it_is_one_minus_j():
    pred, gt = masks(7, 1, 12, 15).round(), masks(7, 1, 12, 15, seed=1).round()
    j = [(p * g).sum() / ((p + g) > 0).sum() for p, g in zip(pred, gt)]
    assert soft_iou_loss(pred, gt, smooth=1e-9).item() == pytest.approx(1 - sum(j).item() / 7)


def test_a_small_object_weighs_as_much_as_a_large_one():
    gt = torch.zeros(2, 1, 10, 10)
    gt[0, 0, 0, :2] = 1
    gt[1, 0, :, :8] = 1
    for lost in (0, 1):
        pred = gt.clone()
        pred[lost] = 0
        assert soft_iou_loss(pred, gt, smooth=1e-6).item() == pytest.approx(0.5)


def test_nothing_predicted_where_nothing_is_costs_nothing():
    assert soft_iou_loss(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)).item() == 0


def test_gradient():
    pred = masks(2, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: soft_iou_loss(p, masks(2, 1, 3, 4, seed=1).round()), pred)


def test_shapes_do_not_broadcast():
    with pytest.raises(ValueError, match=r'got \(2, 1, 3, 4\) and \(1, 3, 4\)'):
        soft_iou_loss(torch.zeros(2, 1, 3, 4), torch.zeros(1, 3, 4))


@pytest.mark.parametrize('smooth', [0, -1, float('nan')])
def test_smooth_is_above_zero(smooth):
    with pytest.raises(ValueError, match='smooth must be above 0'):
        SoftIoULoss(smooth=smooth)
    with pytest.raises(ValueError, match='smooth must be above 0'):
        soft_iou_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), smooth=smooth)


def test_the_term_weighs_and_sums_in_float32():
    logits = torch.full((1, 2, 1, 300, 300), 8., dtype=torch.float16)  # 90,000 pixels: beyond what float16 can sum
    gt = torch.ones(1, 2, 1, 300, 300)
    batch = ClipBatch(torch.zeros(1, 2, 3, 300, 300), gt, gt, torch.zeros(1, 1, 2, 300, 300))
    loss = SoftIoULoss(loss_weight=0.5)(ClipPrediction(logits), batch)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.5 * (1 - torch.sigmoid(torch.tensor(8.)).item()), rel=0.1)
