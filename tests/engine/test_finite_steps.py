import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from tempseg_mm.engine import finite_steps
from tempseg_mm.engine.finite_steps import FiniteSteps, NotFiniteError, can_withhold

FUSED = dict(optimizer=torch.optim.Adam, fused=True)


class Model(nn.Module):
    """Two weights and a normalisation, trained by SGD at rate 1."""

    def __init__(self, counts=1, optimizer=torch.optim.SGD, clip_grad=None, **kwargs):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.norm = nn.BatchNorm1d(2, affine=False)
        self.optim = OptimWrapper(optimizer([self.weight], 1.0, **kwargs), counts, clip_grad)

    def state(self):
        moments = self.optim.optimizer.state[self.weight]
        return {'weight': self.weight.tolist(), **{name: value.tolist() for name, value in moments.items()}}


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
    assert steps.iteration.terms == dict(loss_g=1.0)


def test_terms_of_both_half_steps_are_gathered():
    steps, model = begin()
    take(steps, model, 1.0, dict(loss_d=torch.tensor(7.0)), part='adversary')
    with pytest.raises(NotFiniteError, match=r'^loss_g, gradient of generator not finite in iteration 4\. All terms: '
                                             r'loss_d=7, loss_g=nan, gradient of generator=nan\. Lower the') as error:
        take(steps, model, float('nan'))
    assert error.value.part == 'generator' and steps.iteration.terms == dict(loss_d=7.0)


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
    assert steps.iteration.terms == dict(skipped_steps=1.0)
    steps.begin(model, 'iteration 5')
    assert take(steps, model, 0.5) is None
    assert steps.iteration.terms == dict(skipped_steps=1.0, loss_g=1.5) and model.weight.tolist() == [0.5, 1.5]


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


@pytest.fixture
def reads(monkeypatch):
    """The numbers of sets of terms in each transfer."""
    found, as_floats = [], finite_steps.as_floats
    monkeypatch.setattr(finite_steps, 'as_floats', lambda *sets: found.append(len(sets)) or as_floats(*sets))
    return found


@pytest.mark.parametrize('wrapper, settings, expected', [
    (OptimWrapper, FUSED, True), (OptimWrapper, dict(FUSED, optimizer=torch.optim.AdamW, counts=2), True),
    (OptimWrapper, dict(optimizer=torch.optim.Adam), False),
    (OptimWrapper, dict(FUSED, optimizer=torch.optim.SGD, momentum=0.9), False),
    (OptimWrapper, dict(FUSED, clip_grad=dict(max_norm=1.0)), False),
    (type('Other', (OptimWrapper,), {}), FUSED, False)])
def test_which_optimisers_can_withhold_an_update(monkeypatch, wrapper, settings, expected):
    monkeypatch.setitem(globals(), 'OptimWrapper', wrapper)
    assert can_withhold(Model(**settings).optim) == expected


@pytest.mark.parametrize('counts', [1, 2])
@pytest.mark.parametrize('kind', [torch.optim.Adam, torch.optim.AdamW])
def test_settled_later_a_finite_step_is_that_of_the_optimiser_to_the_bit(reads, kind, counts):
    (model, plain), steps = (Model(**dict(FUSED, optimizer=kind, counts=counts)) for _ in range(2)), FiniteSteps()
    for factor in ([0.5, 0.25], [0.1, -3.0], [1e-9, 7.0], [0.3, 0.3]):
        factor = torch.tensor(factor)
        plain.optim.update_params((plain.weight * factor).sum())
        loss = (model.weight * factor).sum().item()
        steps.begin(model, 'iteration 4')
        for part, optimised in (('adversary', Model(**FUSED)), ('generator', model)):
            assert take(steps, optimised, factor, part=part) is None
        assert steps.iteration.terms == {}
        steps.settle()
        steps.settle()  # nothing is left
        assert steps.iteration.terms == dict(loss_g=loss) and model.state() == plain.state()
    assert reads == [2] * 4


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
@pytest.mark.parametrize('faulty', ['adversary', 'generator'])
@pytest.mark.parametrize('term_only', [False, True])
def test_settled_later_a_wrong_half_step_and_those_after_it_update_nothing(faulty, wrong, term_only):
    steps, models = FiniteSteps(), dict(adversary=Model(**FUSED), generator=Model(**FUSED))

    def half_steps(faulty):
        steps.begin(models['generator'], 'iteration 4')
        for part, model in models.items():
            value = wrong if part == faulty else 0.5
            take(steps, model, 0.5 if term_only else value, {f'loss_{part}': torch.tensor(value)}, part)
    half_steps(None)
    steps.settle()
    before = {part: model.state() for part, model in models.items()}
    half_steps(faulty)
    gradient = '' if term_only else f', gradient of {faulty}'
    terms = 'loss_adversary=0.5, ' if faulty == 'generator' else ''
    with pytest.raises(NotFiniteError, match=rf'^loss_{faulty}{gradient} not finite in iteration 4\. All terms: {terms}'
                                             rf'loss_{faulty}={wrong}, gradient of {faulty}=') as error:
        steps.settle()
    assert error.value.part == faulty
    unchanged = [part for part, model in models.items() if model.state() == before[part]]
    assert unchanged == (['generator'] if faulty == 'generator' else ['adversary', 'generator'])
    assert not any(hasattr(model.optim.optimizer, 'found_inf') for model in models.values())


def test_iterations_are_settled_together_and_none_after_a_wrong_one_updates(reads):
    steps, model = FiniteSteps(), Model(**FUSED)
    factors, states, begun = [0.5, -3.0, float('inf'), 0.25, 1.0], [], []
    for i, factor in enumerate(factors):
        begun.append(steps.begin(model, f'iteration {i}'))
        take(steps, model, factor, dict(loss=torch.tensor(factor)))
        states.append(model.state())
        assert not steps.all_read and not any(one.terms for one in begun)
    assert states[0] != states[1] == states[2] == states[3] == states[4] and reads == []
    with pytest.raises(NotFiniteError, match='^loss, gradient of generator not finite in iteration 2') as error:
        steps.settle()
    assert error.value.iteration is begun[2] and reads == [5] and steps.all_read
    assert [one.terms for one in begun] == [dict(loss=0.5), dict(loss=-3.0), {}, {}, {}]
    begun.append(steps.begin(model, 'iteration 5'))
    take(steps, model, 0.5)  # what was read holds back nothing any more
    steps.settle()
    assert model.state() != states[-1]


def test_an_optimiser_that_cannot_withhold_settles_what_was_put_off(reads):
    steps, first, second = FiniteSteps(), Model(**FUSED), Model()
    steps.begin(second, 'iteration 4')
    take(steps, first, float('nan'), part='adversary')
    with pytest.raises(NotFiniteError) as error:
        take(steps, second, 1.0)
    assert error.value.part == 'adversary' and second.weight.tolist() == [1, 2] and reads == [2]
    steps.settle()  # nothing is left


def test_skipping_settles_before_the_update(reads):
    steps, model = FiniteSteps('skip'), Model(**FUSED)
    steps.begin(model, 'iteration 4')
    before = model.state()
    assert take(steps, model, float('nan')).startswith('loss_g, gradient of generator not finite')
    assert model.state() == before and reads == [1]


@pytest.mark.parametrize('wrong, fault', [
    (dict(on_nonfinite='ignore'), "must be 'stop' or 'skip', got 'ignore'"), (dict(max_skips=0), 'at least 1, got 0')])
def test_wrong_arguments(wrong, fault):
    with pytest.raises(ValueError, match=fault):
        FiniteSteps(**wrong)
