import math

import pytest
import torch

from tempseg_mm.models.losses.adversarial import (
    AdversarialLoss,
    discriminator_adversarial_loss,
    generator_adversarial_loss,
)
from tempseg_mm.structures.clip_batch import ClipPrediction


def test_generator_loss_by_hand():
    # probabilities 1/2 and 4/5: -(log 1/2 + log 4/5) / 2
    logits = torch.tensor([[0., math.log(4)]], dtype=torch.float64)
    assert generator_adversarial_loss(logits).item() == pytest.approx(-(math.log(0.5) + math.log(0.8)) / 2)


def test_discriminator_loss_by_hand():
    logits = torch.tensor([math.log(4)], dtype=torch.float64)
    real, fake = discriminator_adversarial_loss(logits, logits)
    assert real.item() == pytest.approx(-math.log(0.8))
    assert fake.item() == pytest.approx(-math.log(0.2))


def test_generator_loss_does_not_saturate_where_the_discriminator_is_sure():
    logits = torch.tensor([-200.], requires_grad=True)
    generator_adversarial_loss(logits).backward()
    assert logits.grad.item() == pytest.approx(-1)


def test_gradients():
    logits = torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(generator_adversarial_loss, logits)
    assert torch.autograd.gradcheck(discriminator_adversarial_loss, (logits, logits.detach().neg().requires_grad_()))


def test_module_weighs_the_function():
    prediction = ClipPrediction(torch.zeros(1, 2, 1, 2, 2), torch.tensor([[0.3, -2.]]))
    expected = 0.2 * generator_adversarial_loss(prediction.fake_logits)
    assert AdversarialLoss(0.2)(prediction, None) == expected


def test_module_without_adversary_says_so():
    with pytest.raises(ValueError, match='AdversarialLoss needs the verdict .* Give the model an adversary, or'):
        AdversarialLoss()(ClipPrediction(torch.zeros(1, 2, 1, 2, 2)), None)
