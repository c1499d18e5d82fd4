import numpy as np
import pytest

from tempseg_mm.evaluation.identities import IdentityCheck


def labels(*ids):
    return np.array([ids], np.uint8)


@pytest.mark.parametrize('pred, gt, exchanged', [
    (labels(1, 1, 2, 0), labels(1, 1, 2, 0), {}),
    (labels(2, 2, 1, 0), labels(1, 1, 2, 0), {1: 2, 2: 1}),
    (labels(2, 3, 1, 0), labels(1, 2, 3, 0), {1: 2, 2: 3, 3: 1}),
    (labels(2, 1, 3, 0), labels(1, 2, 3, 0), {1: 2, 2: 1}),
    (labels(0, 0, 0, 0), labels(1, 1, 2, 0), {}),
    (labels(1, 1, 1, 1), labels(1, 1, 2, 2), {}),  # object 2 was lost to 1
    (labels(0, 1, 1, 1), labels(1, 2, 2, 2), {}),
    (labels(0, 1, 1, 3), labels(1, 2, 2, 3), {}),
])
def test_ids_that_are_exchanged_are_told_from_mistakes(pred, gt, exchanged):
    check = IdentityCheck()
    check.look(pred, gt, [1, 2, 3])
    assert check.exchanged == exchanged
    assert bool(check.sentence) == bool(exchanged)


def test_each_object_is_looked_at_once_where_it_first_shows():
    check = IdentityCheck()
    check.look(labels(1, 0, 0), labels(1, 0, 0), [1, 2, 3])
    check.look(labels(2, 3, 2), labels(1, 2, 3), [1, 2, 3])
    assert check.exchanged == {2: 3, 3: 2} and check.overlaps == {1: {1: 1.0}, 2: {3: 1.0}, 3: {2: 0.5}}
    assert 'ground truth <-> result 2 <-> 3 (J 1.00 instead of 0.00), 3 <-> 2 (J 0.50' in check.sentence
    assert IdentityCheck().sentence == ''
