import pytest
import torch

from tempseg_mm.ops.soft_aggregation import soft_aggregation


def test_worked_by_hand():
    # Odds 3 and 1 beside the background's 1: fifths.
    merged = soft_aggregation(torch.tensor([[0.75], [0.5]], dtype=torch.float64))
    torch.testing.assert_close(merged, torch.tensor([[0.2], [0.6], [0.2]], dtype=torch.float64))


def test_it_is_the_posterior_of_at_most_one_object():
    p = torch.rand(3, 5, dtype=torch.float64)
    none = (1 - p).prod(0)
    only = torch.stack([p[k] * torch.cat([1 - p[:k], 1 - p[k + 1:]]).prod(0) for k in range(3)])
    expected = torch.cat([none[None], only]) / (none + only.sum(0))
    torch.testing.assert_close(soft_aggregation(p), expected)


def test_one_object_keeps_its_probability_bit_for_bit():
    p = torch.cat([torch.rand(1, 200), torch.tensor([[0, 1, 1e-9]])], dim=1)
    merged = soft_aggregation(p)
    assert torch.equal(merged[1:], p) and torch.equal(merged[:1], 1 - p)


def test_certain_answers_that_contradict_each_other_share_the_pixel():
    merged = soft_aggregation(torch.tensor([[1.0], [1.0], [0.0]]))
    torch.testing.assert_close(merged, torch.tensor([[0.0], [0.5], [0.5], [0.0]]), atol=1e-5, rtol=0)


def test_the_winner_is_the_highest_above_one_half():
    p = torch.rand(3, 1000)
    expected = torch.where(p.amax(0) > 0.5, p.argmax(0) + 1, 0)
    assert torch.equal(soft_aggregation(p).argmax(0), expected)


def test_no_object():
    with pytest.raises(ValueError, match=r'at least one object, got \(0, 4\)'):
        soft_aggregation(torch.zeros(0, 4))
