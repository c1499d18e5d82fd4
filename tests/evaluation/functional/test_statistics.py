import math

import numpy as np
import pytest

from tempseg_mm.evaluation.functional.statistics import sequence_statistics


def test_mean_and_recall_by_hand():
    statistics = sequence_statistics([0.9, 0.5, 0.7, 0.1])
    assert statistics.mean == pytest.approx(0.55)
    assert statistics.recall == 0.5  # one half itself is not above one half


@pytest.mark.parametrize('n, first, last', [
    (1, [0], [0]),
    (2, [0], [1]),
    (5, [0, 1], [3, 4]),
    (6, [0, 1], [4, 5]),  # edges 1.25, 3.75 -> 1, 4
    (7, [0, 1, 2], [5, 6]),  # edges 1.5, 4.5 -> 2, 5: halves go up
    (9, [0, 1, 2], [6, 7, 8]),
])
def test_decay_is_first_quarter_less_last_with_shared_edges(n, first, last):
    values = np.random.default_rng(n).random(n)
    assert sequence_statistics(values).decay == pytest.approx(values[first].mean() - values[last].mean())


def test_falling_quality_has_positive_decay():
    assert sequence_statistics(np.linspace(1, 0, 102)).decay > 0.7


def test_nan_is_left_out_of_the_mean_and_is_no_success():
    statistics = sequence_statistics([float('nan'), 1.0, 1.0, 0.0])
    assert statistics.mean == pytest.approx(2 / 3)
    assert statistics.recall == 0.5


def test_nothing_but_nan_has_no_mean(recwarn):
    assert math.isnan(sequence_statistics([float('nan')]).mean)
    assert not recwarn.list


@pytest.mark.parametrize('values', [[], [[0.5, 0.5]]])
def test_no_value_or_two_dimensions_are_refused(values):
    with pytest.raises(ValueError, match='at least one frame in one dimension'):
        sequence_statistics(values)
