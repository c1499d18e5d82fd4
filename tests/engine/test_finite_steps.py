import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from tempseg_mm.engine.finite_steps import FiniteSteps, NotFiniteError


class Model(nn.Module):
    """Two weights and a normalisation, trained by SGD at rate 1."""

    def __init__(self, counts=1):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.norm = nn.BatchNorm1d(2, affine=False)
        self.optim = OptimWrapper(torch.optim.SGD([self.weight], 1.0), accumulative_counts=counts)


def take(steps, model, factor, terms=None, part='generator'):
    loss = (model.weight * factor).sum()
    return steps.take(part, model.optim, loss, dict(loss_g=loss) if terms is None else terms)


def begin(policy='stop', counts=1, **kwargs):
    steps, model = FiniteSteps(policy, **kwargs), Model(counts)
    steps.begin(model, 'iteration 4')
    return steps, model


def test_a_finite_step_is_that_of_the_optimiser():
    steps, model = begin()
    assert take(steps, model, torch.tensor([0.5, 0.25])) is None
    assert model.weight.tolist() == [0.5, 1.75] and model.weight.grad is None
    assert steps.terms == dict(loss_g=1.0)


def test_terms_of_both_half_steps_are_gathered():
    steps, model = begin()
    take(steps, model, 1.0, dict(loss_d=torch.tensor(7.0)), part='adversary')
    with pytest.raises(NotFiniteError, match=r'^loss_g, gradient of generator not finite in iteration 4\. All terms: '
                                             r'loss_d=7, loss_g=nan, gradient of generator=nan\. Lower the') as error:
        take(steps, model, float('nan'))
    assert error.value.part == 'generator' and steps.terms == dict(loss_d=7.0)


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
def test_a_wrong_loss_or_gradient_updates_nothing(wrong):
    for factor, terms in ((wrong, None), (1.0, dict(loss_g=torch.tensor(wrong))),
                          (torch.tensor([1.0, wrong]), dict(loss_g=torch.tensor(0.5)))):
        steps, model = begin()
        with pytest.raises(FloatingPointError, match='not finite in iteration 4'):
            take(steps, model, factor, terms)
        assert model.weight.tolist() == [1, 2]


def test_the_batch_is_named_that_spoils_a_gathered_gradient():
    steps, model = begin(counts=2)
    with pytest.raises(NotFiniteError, match='gradient of generator not finite'):
        take(steps, model, torch.tensor([1.0, float('inf')]), dict(loss_g=torch.tensor(0.5)))  # no update was due
    assert model.optim.inner_count == 1


def test_gradients_are_gathered_and_then_taken():
    steps, model = begin(counts=2)
    take(steps, model, 1.0)
    assert model.weight.tolist() == [1, 2] and model.weight.grad.tolist() == [0.5, 0.5]
    take(steps, model, 2.0)
    assert model.weight.tolist() == [-0.5, 0.5] and model.weight.grad is None


def test_skipping_drops_the_step_and_the_statistics():
    steps, model = begin('skip')
    model.norm(torch.tensor([[float('nan'), 1.0], [0.0, 2.0]]))
    fault = take(steps, model, float('nan'))
    assert fault.startswith('loss_g, gradient of generator not finite in iteration 4')
    assert model.weight.tolist() == [1, 2] and model.weight.grad is None
    assert model.norm.running_mean.tolist() == [0, 0] and model.norm.num_batches_tracked == 0
    assert steps.terms == dict(skipped_steps=1.0)
    steps.begin(model, 'iteration 5')
    assert take(steps, model, 0.5) is None
    assert steps.terms == dict(skipped_steps=1.0, loss_g=1.5) and model.weight.tolist() == [0.5, 1.5]


def test_too_many_in_a_row_stop_each_optimiser_counted_alone():
    steps, model = begin('skip', max_skips=3)
    for factor in (float('nan'), float('nan'), 0.0, float('nan'), float('nan')):
        take(steps, model, factor)
        take(steps, model, 0.0, dict(loss_d=torch.tensor(1.0)), part='adversary')
    assert steps.state_dict() == dict(skipped=4, in_a_row=dict(generator=2, adversary=0))
    resumed = FiniteSteps('skip', 3)
    resumed.load_state_dict(steps.state_dict())
    resumed.begin(model, 'iteration 9')
    with pytest.raises(NotFiniteError, match='^3 half-steps in a row: loss_g'):
        take(resumed, model, float('nan'))
    assert model.weight.tolist() == [1, 2]


def test_an_overflow_under_a_loss_scaler_is_no_error():
    steps, model = begin()
    model.optim.loss_scaler = object()  # what AmpOptimWrapper has; its step looks at the gradients itself
    assert take(steps, model, torch.tensor([1.0, float('inf')]), dict(loss_g=torch.tensor(0.5))) is None
    with pytest.raises(NotFiniteError, match='^loss_g not finite'):
        take(steps, model, 1.0, dict(loss_g=torch.tensor(float('inf'))))


@pytest.mark.parametrize('wrong, fault', [
    (dict(on_nonfinite='ignore'), "must be 'stop' or 'skip', got 'ignore'"), (dict(max_skips=0), 'at least 1, got 0')])
def test_wrong_arguments(wrong, fault):
    with pytest.raises(ValueError, match=fault):
        FiniteSteps(**wrong)
