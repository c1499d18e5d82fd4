import numpy as np
import pytest
import torch
from reference import algorithms

from tempseg_mm.models.losses.intra_frame import (
    IFTLoss,
    LongRangeIFTLoss,
    hinge_distance,
    iftl,
    l_iftl,
    mask_distance,
)
from tempseg_mm.structures.clip_batch import ClipPrediction


def levels(*values):
    """One clip (1, T, 1, 2, 2) of masks of one grey level each: the normalised distance is the difference of levels."""
    return torch.tensor(values, dtype=torch.float64).view(1, -1, 1, 1, 1).expand(1, len(values), 1, 2, 2)


def random_clips(n=2, t=4, height=3, width=5, seed=0):
    return torch.rand(n, t, 1, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_distance_by_hand():
    a, b = torch.zeros(2, 1, 3, 4), torch.zeros(2, 1, 3, 4)
    b[0, 0, 0, 0], b[1] = 1, 1
    assert mask_distance(a, b, normalize=False).tolist() == pytest.approx([1, 12 ** 0.5])
    assert mask_distance(a, b).tolist() == pytest.approx([(1 / 12) ** 0.5, 1])


def test_distance_has_a_finite_gradient_at_zero():
    for normalize in (True, False):
        a = torch.rand(2, 1, 4, 4, requires_grad=True)
        mask_distance(a, a.detach(), normalize=normalize).sum().backward()
        assert a.grad.abs().sum() == 0


def test_hinge_by_hand():
    a, b = torch.zeros(4, 1, 2, 2), torch.tensor([0.04, 0.04, 0.5, 0.5]).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    agreement = torch.tensor([True, False, True, False])
    assert hinge_distance(a, b, agreement).tolist() == pytest.approx([0.04, 0.06, 0.5, 0])
    assert hinge_distance(a, b, agreement.int(), delta=0.6).tolist() == pytest.approx([0.04, 0.56, 0.5, 0.1])


def test_iftl_by_hand():
    masks, q = levels(0.2, 0.25, 0.3, 0.9), torch.tensor([[True, True, False, True]])
    # pairs: real 0.05; hinge 0.1 - 0.05; hinge 0
    assert iftl(masks, q).item() == pytest.approx(0.1 / 3)
    assert iftl(masks, q, reduction='sum').item() == pytest.approx(0.1)


def test_l_iftl_by_hand():
    masks, q = levels(0.2, 0.25, 0.3, 0.9), torch.tensor([[True, True, False, True]])
    # from the first: real 0.05; hinge 0.1 - 0.1; real 0.7
    assert l_iftl(masks, q).item() == pytest.approx(0.75 / 3)
    assert l_iftl(masks, ~q, reduction='sum').item() == pytest.approx(0.05)


@pytest.mark.parametrize('ours, literal', [(iftl, algorithms.iftl), (l_iftl, algorithms.l_iftl)])
def test_the_sum_of_plain_distances_is_the_literal_equation(ours, literal):
    rng = np.random.default_rng(0)
    for seed in range(20):
        masks, q = random_clips(3, 2 + seed % 4, seed=seed), rng.integers(0, 2, (3, 2 + seed % 4))
        expected = np.mean([literal(clip[:, 0].numpy(), labels, 1.7) for clip, labels in zip(masks, q, strict=True)])
        ones = ours(masks, torch.from_numpy(q), delta=1.7, normalize=False, reduction='sum')
        assert ones.item() == pytest.approx(expected)
        assert torch.equal(ones, ours(masks, torch.from_numpy(q).bool(), delta=1.7, normalize=False, reduction='sum'))


def test_neighbours_and_long_range_are_one_for_two_frames():
    masks, q = random_clips(t=2), torch.tensor([[True, True], [False, True]])
    assert iftl(masks, q) == l_iftl(masks, q)


@pytest.mark.parametrize('loss', [iftl, l_iftl])
@pytest.mark.parametrize('normalize, reduction, delta', [(True, 'mean', 0.5), (False, 'sum', 2.)])
def test_gradcheck(loss, normalize, reduction, delta):
    masks = random_clips().requires_grad_()
    q = torch.tensor([[True, True, False, True], [False, True, True, False]])
    assert torch.autograd.gradcheck(
        lambda m: loss(m, q, delta=delta, normalize=normalize, reduction=reduction), masks)


@pytest.mark.parametrize('loss', [iftl, l_iftl])
@pytest.mark.parametrize('verdict', [True, False])
def test_gradient_is_finite_for_frames_that_do_not_change(loss, verdict):
    masks = levels(0.5, 0.5, 0.5).clone().requires_grad_()
    loss(masks, torch.full((1, 3), verdict)).backward()
    assert masks.grad.isfinite().all()


def test_no_gradient_reaches_the_verdicts():
    verdicts = torch.ones(2, 4, requires_grad=True)
    masks = random_clips().requires_grad_()
    iftl(masks, verdicts).backward()
    assert verdicts.grad is None and masks.grad is not None


@pytest.mark.parametrize('module, function', [(IFTLoss, iftl), (LongRangeIFTLoss, l_iftl)])
def test_module_weighs_the_function_under_the_verdicts(module, function):
    logits = torch.randn(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    fake_logits = torch.tensor([[1., 2., -3.], [0.5, 0.1, 0.2]])
    prediction = ClipPrediction(logits, fake_logits)
    options = dict(delta=0.7, normalize=False, reduction='sum')
    expected = 0.3 * function(torch.sigmoid(logits), fake_logits > 0, **options)
    assert module(0.3, **options)(prediction, None) == expected
    assert module(0.3)(prediction, None) == 0.3 * function(torch.sigmoid(logits), fake_logits > 0)


@pytest.mark.parametrize('module', [IFTLoss, LongRangeIFTLoss])
def test_module_errors(module):
    with pytest.raises(ValueError, match=f'{module.__name__} needs the verdict of the discriminator'):
        module()(ClipPrediction(torch.zeros(1, 2, 1, 2, 2)), None)
    with pytest.raises(ValueError, match='delta must be at least 0, got -1'):
        module(delta=-1)
    with pytest.raises(ValueError, match="'mean' or 'sum', got 'none'"):
        module(reduction='none')


@pytest.mark.parametrize('loss', [iftl, l_iftl])
def test_function_errors(loss):
    with pytest.raises(ValueError, match='at least two frames, got T = 1'):
        loss(torch.zeros(2, 1, 1, 4, 4), torch.ones(2, 1))
    with pytest.raises(ValueError, match=r'verdicts must be \(N, T\) = \(2, 4\), got \(4, 2\)'):
        loss(random_clips(), torch.ones(4, 2))
    with pytest.raises(ValueError, match="'mean' or 'sum', got 'max'"):
        loss(random_clips(), torch.ones(2, 4), reduction='max')
    with pytest.raises(ValueError, match='delta must be at least 0'):
        loss(random_clips(), torch.ones(2, 4), delta=float('nan'))
    with pytest.raises(ValueError, match=r'one value per pair \(2,\), got \(3,\)'):
        hinge_distance(torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.ones(3))
