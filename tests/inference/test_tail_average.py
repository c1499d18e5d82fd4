import pytest
import torch
from torch import nn

from tempseg_mm.inference.online_finetuner import GivenObject, OnlineFinetuner
from tempseg_mm.inference.tail_average import TailAverage
from tempseg_mm.registry import MODELS

SGD = dict(type='SGD', lr=0.1)


class MeanLogit(nn.Module):
    """A loss whose gradient for the last bias is one in every step."""
    needs_adversary = per_frame = False

    def forward(self, prediction, batch):
        return prediction.logits.mean()


@pytest.fixture
def model(make_model, monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'MeanLogit', MeanLogit)
    model = make_model(adversary=None, losses=dict(mean=dict(type='MeanLogit')))
    nn.init.zeros_(model.generator.decoder.to_logits.bias)
    return model


@pytest.mark.parametrize('share, expected', [
    (0, 5), (0.1, 5), (0.4, 4.5), (0.5, 4.5), (0.6, 4), (1, 3)])  # half of 5 steps is rounded to 2
def test_mean_of_the_last_steps(share, expected):
    module, mean = nn.Linear(1, 1), TailAverage(5, share)
    for step in range(5):
        nn.init.constant_(module.weight, step + 1)
        mean.add(module, step)
    mean.give_to(module)
    assert module.weight.item() == pytest.approx(expected)


def test_statistics_are_those_of_the_last_step():
    module, mean = nn.BatchNorm1d(2), TailAverage(2, 1)
    for step in range(2):
        nn.init.constant_(module.bias, step)
        module.running_mean.fill_(step)
        module.num_batches_tracked.fill_(step)
        mean.add(module, step)
    module.running_mean.fill_(9)  # not part of the steps
    mean.give_to(module)
    assert module.bias.tolist() == [0.5, 0.5] and module.running_mean.tolist() == [1, 1]
    assert module.num_batches_tracked == 1


@pytest.fixture
def square(make_sequence, give):
    return GivenObject(give(make_sequence()), 1)


@pytest.mark.parametrize('average, expected', [(0, -0.4), (0.25, -0.4), (0.5, -0.35), (1, -0.25)])
def test_fine_tuning_leaves_the_mean_worked_out_by_hand(model, square, average, expected):
    adapted = OnlineFinetuner(steps=4, optimizer=SGD, average=average).adapt(model, square)
    assert adapted.generator.decoder.to_logits.bias.item() == pytest.approx(expected, rel=1e-3)
    assert model.generator.decoder.to_logits.bias.item() == 0


def test_the_mean_changes_no_step(make_model, square):
    model = make_model()
    last, before_last, mean = (OnlineFinetuner(steps=steps, average=average).adapt(model, square)
                               for steps, average in ((4, 0), (3, 0), (4, 0.5)))
    assert mean.losses == last.losses and mean.losses[:3] == before_last.losses
    weights = [dict(found.generator.named_parameters()) for found in (last, before_last, mean)]
    for name, value in weights[2].items():
        expected = (weights[0][name].double() + weights[1][name].double()) / 2
        assert torch.allclose(value.double(), expected, rtol=1e-5, atol=1e-8), name
        assert not torch.equal(value, weights[0][name]), name
