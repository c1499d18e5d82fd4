import math

import pytest
import torch
from torch import nn

from tempseg_mm.inference import finite
from tempseg_mm.inference.finite import FiniteTerms, as_floats, fault_in, gradient_norm


def test_finite_terms_become_floats():
    terms = dict(a=torch.tensor(1.5, requires_grad=True), b=torch.tensor([2], dtype=torch.int64))
    values, = as_floats(terms)
    assert values == dict(a=1.5, b=2.0) and fault_in(values, 'here') is None
    assert as_floats(terms, dict(a=terms['b'])) == [values, dict(a=2.0)]


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_the_term_the_place_and_all_terms_are_named(value):
    with pytest.raises(FloatingPointError, match=r'^loss_b not finite in step 7\. All terms: loss_a=1\.5, loss_b='):
        FiniteTerms().add(dict(loss_a=torch.tensor(1.5), loss_b=torch.tensor(value)), 'step 7')


@pytest.mark.parametrize('together, reads', [(1, 7), (3, 3), (9, 1)])
def test_terms_of_several_steps_are_read_at_once(monkeypatch, together, reads):
    calls = []
    monkeypatch.setattr(finite, 'as_floats', lambda *sets: calls.append(sum(map(len, sets))) or as_floats(*sets))
    terms = FiniteTerms(together)
    for step in range(7):
        terms.add(dict(loss_a=torch.tensor(1.0), **({'loss_b': torch.tensor(2.0)} if step % 2 else {})), str(step))
    terms.check()
    terms.check()  # nothing is left
    assert len(calls) == reads and sum(calls) == 10


@pytest.mark.parametrize('together', [1, 2, 8])
def test_the_first_step_that_is_not_finite_is_named(together):
    terms = FiniteTerms(together)
    with pytest.raises(FloatingPointError, match=r'^loss not finite in step 2\. All terms: loss=inf, other=2\.'):
        for step, loss in enumerate([1.0, 2.0, float('inf'), float('nan')]):
            terms.add(dict(loss=torch.tensor(loss), other=torch.tensor(float(step))), f'step {step}')
        terms.check()


def with_gradients(*gradients):
    parameters = [nn.Parameter(torch.zeros(len(gradient))) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = torch.tensor(gradient)
    return parameters


def test_the_norm_of_all_gradients_leaves_them_as_they_are():
    parameters = with_gradients([3.0, 0.0], [4.0, 1e-42, -0.0])
    before = [parameter.grad.clone() for parameter in parameters]
    assert gradient_norm(iter([*parameters, nn.Parameter(torch.ones(1))])).item() == pytest.approx(5)
    assert all(torch.equal(parameter.grad.view(torch.int32), was.view(torch.int32))
               for parameter, was in zip(parameters, before))


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_one_wrong_gradient_shows_in_the_norm(value):
    assert not math.isfinite(gradient_norm(with_gradients([3.0, 0.0], [4.0, value])))
