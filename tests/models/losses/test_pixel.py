import math

import pytest
import torch

from tempseg_mm.models.losses.pixel import BCELoss, L1Loss, bce_loss, l1_loss
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def clips(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 1, 4, 5, generator=generator).to(dtype)
    gt = (torch.rand(2, 3, 1, 4, 5, generator=generator) < 0.5).float()
    return ClipPrediction(logits), ClipBatch(torch.zeros(2, 3, 3, 4, 5), gt, gt, torch.zeros(2, 2, 2, 4, 5))


def test_l1_by_hand():
    assert l1_loss(torch.tensor([0.25, 1., 0.5]), torch.tensor([0., 1., 1.])).item() == pytest.approx(0.25)


def test_bce_by_hand():
    logits = torch.tensor([math.log(3), 0.], dtype=torch.float64)  # probabilities 3/4, 1/2
    gt = torch.tensor([0., 1.], dtype=torch.float64)
    assert bce_loss(logits, gt).item() == pytest.approx(-(math.log(0.25) + math.log(0.5)) / 2)


def test_bce_is_finite_for_sure_and_wrong_logits():
    assert bce_loss(torch.tensor([500.]), torch.tensor([0.])).item() == pytest.approx(500)


@pytest.mark.parametrize('loss', [l1_loss, bce_loss])
def test_shapes_do_not_broadcast(loss):
    with pytest.raises(ValueError, match=r'got \(2, 1, 4\) and \(2, 4\)'):
        loss(torch.zeros(2, 1, 4), torch.zeros(2, 4))


@pytest.mark.parametrize('loss', [l1_loss, bce_loss])
def test_gradients(loss):
    generator = torch.Generator().manual_seed(0)
    pred = torch.rand(2, 6, dtype=torch.float64, generator=generator).requires_grad_()
    gt = (torch.rand(2, 6, generator=generator) < 0.5).double()
    assert torch.autograd.gradcheck(lambda x: loss(x, gt), pred)


def test_modules_weigh_the_functions():
    prediction, batch = clips()
    assert L1Loss(0.5)(prediction, batch) == 0.5 * l1_loss(torch.sigmoid(prediction.logits), batch.gt_masks)
    assert BCELoss(0.5)(prediction, batch) == 0.5 * bce_loss(prediction.logits, batch.gt_masks)


@pytest.mark.parametrize('loss', [L1Loss(), BCELoss()])
def test_half_precision_logits_are_raised(loss):
    prediction, batch = clips(torch.bfloat16)
    assert loss(prediction, batch).dtype == torch.float32
