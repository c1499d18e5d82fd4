import math

import pytest

from tempseg_mm.evaluation.summaries import measure_summary, sequence_summary, units_of


def test_one_object_is_its_sequence():
    found = sequence_summary({3: dict(J={1: 0.4, 2: 0.8}, T={1: math.nan, 2: 0.5})})
    assert found['J'] == measure_summary('J', {1: 0.4, 2: 0.8}) and found['J']['mean'] == pytest.approx(0.6)
    assert found['T']['mean'] == 0.5 and set(found['T']) == {'mean', 'frames', 'per_frame'}
    assert units_of(found['J']) == {'': found['J']}


def test_means_over_objects_as_far_as_they_have_shown():
    found = sequence_summary({1: dict(J={1: 0.2, 2: 0.4, 3: 0.6}), 2: dict(J={3: 1.0})})['J']
    assert found['mean'] == pytest.approx((0.4 + 1.0) / 2) and found['recall'] == pytest.approx((1 / 3 + 1) / 2)
    assert found['frames'] == [1, 2, 3] and found['per_frame'] == pytest.approx([0.2, 0.4, 0.8])
    assert list(units_of(found)) == ['1', '2'] and units_of(found)['2']['mean'] == 1.0


def test_no_value_is_no_mean():
    assert math.isnan(measure_summary('J', {})['mean'])
    found = sequence_summary({1: dict(T={1: math.nan}), 2: dict(T={1: math.nan})})
    assert math.isnan(found['T']['mean']) and math.isnan(found['T']['per_frame'][0])
