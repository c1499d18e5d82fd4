import pytest
import torch
from torch import nn

from tempseg_mm.inference.online_finetuner import OnlineFinetuner
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


@pytest.mark.parametrize('average, expected', [(0, -0.4), (0.25, -0.4), (0.5, -0.35), (1, -0.25)])
def test_fine_tuning_leaves_the_mean_worked_out_by_hand(model, make_sequence, average, expected):
    OnlineFinetuner(steps=4, optimizer=SGD, average=average).adapt(model, make_sequence())
    assert model.generator.decoder.to_logits.bias.item() == pytest.approx(expected, rel=1e-3)


def test_fine_tuning_leaves_the_mean_of_all_weights_and_forgets_it(make_model, make_sequence):
    model, sequence, after, losses = make_model(), make_sequence(), [], []
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for average in (0, 0.5):
        finetuner = OnlineFinetuner(steps=4, average=average)
        losses.append(finetuner.adapt(model, sequence, on_step=lambda step: after.append(
            {name: value.detach().double() for name, value in model.generator.named_parameters()})).losses)
        mean = {name: value.detach().clone() for name, value in model.generator.named_parameters()}
        finetuner.restore(model)
    assert losses[0] == losses[1] and len(after) == 8
    for name, value in mean.items():
        assert torch.allclose(value.double(), (after[6][name] + after[7][name]) / 2, rtol=1e-5, atol=1e-8), name
        assert not torch.equal(value, after[7][name].float()), name
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_error_after_the_mean_began_gives_back_the_parent(model, make_sequence):
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def stop(step):
        if step == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        OnlineFinetuner(steps=4, optimizer=SGD, average=0.75).adapt(model, make_sequence(), on_step=stop)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
