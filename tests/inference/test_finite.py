import pytest
import torch

from tempseg_mm.inference.finite import check_finite


def test_finite_terms_become_floats():
    terms = dict(a=torch.tensor(1.5, requires_grad=True), b=torch.tensor([2], dtype=torch.int64))
    assert check_finite(terms, 'here') == dict(a=1.5, b=2.0)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_the_term_the_place_and_all_terms_are_named(value):
    with pytest.raises(FloatingPointError, match=r'^loss_b not finite in step 7\. All terms: loss_a=1\.5, loss_b='):
        check_finite(dict(loss_a=torch.tensor(1.5), loss_b=torch.tensor(value)), 'step 7')
