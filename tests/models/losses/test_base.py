import pytest
import torch

from tempseg_mm.models.losses.base import GeneratorLoss, check_clip, check_same_shape
from tempseg_mm.registry import MODELS

NAMES = ['AdversarialLoss', 'BCELoss', 'IFTLoss', 'ITSDLoss', 'L1Loss', 'LongRangeIFTLoss']


@pytest.mark.parametrize('weight', [-0.1, float('nan'), float('inf')])
def test_impossible_weight_is_named(weight):
    with pytest.raises(ValueError, match=f'loss_weight must be finite and at least 0, got {weight}'):
        GeneratorLoss(weight)


def test_forward_is_left_to_subclasses():
    with pytest.raises(NotImplementedError, match='GeneratorLoss has no forward'):
        GeneratorLoss(1.)(None, None)


@pytest.mark.parametrize('name', NAMES)
def test_every_loss_is_built_from_the_registry_with_its_weight(name):
    loss = MODELS.build(dict(type=name, loss_weight=0.5))
    assert isinstance(loss, GeneratorLoss) and loss.loss_weight == 0.5
    assert not list(loss.parameters())
    assert 'loss_weight=0.5' in repr(loss)


def test_default_weights_are_those_of_eq_10():
    weights = {name: MODELS.build(dict(type=name)).loss_weight for name in NAMES}
    assert weights == dict(AdversarialLoss=0.1, BCELoss=0.1, IFTLoss=0.25, ITSDLoss=0.25, L1Loss=0.25,
                           LongRangeIFTLoss=0.25)


def test_losses_say_whether_they_need_an_adversary():
    needing = [name for name in NAMES if MODELS.build(dict(type=name)).needs_adversary]
    assert needing == ['AdversarialLoss', 'IFTLoss', 'LongRangeIFTLoss']


def test_losses_say_whether_they_need_flow():
    assert [name for name in NAMES if MODELS.build(dict(type=name)).needs_flow] == ['ITSDLoss']

    class Mine(GeneratorLoss):
        """Says nothing: it may read the flow."""
    assert Mine(1.0).needs_flow


def test_an_unknown_option_is_not_swallowed():
    with pytest.raises(TypeError, match='patchsize'):
        MODELS.build(dict(type='ITSDLoss', patchsize=3))


def test_shape_checks_name_the_shapes():
    with pytest.raises(ValueError, match=r'same shape, got \(2, 1\) and \(2,\)'):
        check_same_shape(torch.zeros(2, 1), torch.zeros(2))
    with pytest.raises(ValueError, match=r'\(N, T, 1, H, W\), got \(2, 3, 4, 4\)'):
        check_clip(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ValueError, match='at least two frames, got T = 1'):
        check_clip(torch.zeros(2, 1, 1, 4, 4))
