import pytest
import torch

from tempseg_mm.evaluation.accuracy import TopKAccuracy
from tempseg_mm.registry import METRICS

SCORES = torch.tensor([0.1, 0.4, 0.2, 0.3])


def evaluated(labels, **options):
    metric = METRICS.build(dict(type='TopKAccuracy', **options))
    metric.process(None, [dict(scores=SCORES, label=torch.tensor(label)) for label in labels])
    return metric.evaluate(len(labels))


def test_shares_by_hand():
    found = evaluated([1, 3, 2, 0, 1], topk=(1, 2, 3))
    assert found == pytest.approx({'accuracy/top1': 0.4, 'accuracy/top2': 0.6, 'accuracy/top3': 0.8})


def test_more_guesses_than_classes():
    assert evaluated([0, 1]) == {'accuracy/top1': 0.5, 'accuracy/top5': 1}


def test_batches_add_up():
    metric = TopKAccuracy((1,))
    for label in (1, 0, 0, 0):
        metric.process(None, [dict(scores=SCORES, label=label)])
    assert metric.evaluate(4) == {'accuracy/top1': 0.25}
