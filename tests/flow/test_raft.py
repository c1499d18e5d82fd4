import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tempseg_mm.flow.raft import RAFTFlow
from tempseg_mm.registry import TASK_UTILS

PUBLISHED = SimpleNamespace(name='C_T_SKHT_V2')


class Stub(nn.Module):
    """Stands for torchvision's RAFT: a list of estimates; the last is the gain times red of both frames."""

    def __init__(self, weights, calls):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(2.0 if weights is PUBLISHED else 0.0))
        self.calls = calls

    def forward(self, frames, next_frames, num_flow_updates):
        self.calls.append((tuple(frames.shape), num_flow_updates, frames.min().item(), frames.max().item()))
        return [torch.zeros(1), self.gain * torch.stack([frames[:, 0], next_frames[:, 0]], dim=1)]


@pytest.fixture
def calls(monkeypatch):
    """A stand-in for torchvision.models.optical_flow, and what its networks were called with."""
    seen = []

    def build(weights, progress=True):
        return Stub(weights, seen)
    best = SimpleNamespace(DEFAULT=PUBLISHED)
    module = SimpleNamespace(raft_large=build, raft_small=build, Raft_Large_Weights=best, Raft_Small_Weights=best)
    monkeypatch.setitem(sys.modules, 'torchvision', SimpleNamespace())
    monkeypatch.setitem(sys.modules, 'torchvision.models', SimpleNamespace(optical_flow=module))
    monkeypatch.setitem(sys.modules, 'torchvision.models.optical_flow', module)
    return seen


def frames(height, width):
    made = torch.randint(0, 256, (2, 3, height, width), dtype=torch.uint8)
    made[0, :, 0, 0], made[0, :, 0, 1] = 0, 255
    return made[:1], made[1:]


@pytest.mark.parametrize('size, padded', [((136, 200), (136, 200)), ((130, 201), (136, 208)), ((20, 30), (128, 128))])
def test_input_and_output(calls, size, padded):
    one, two = frames(*size)
    flow = RAFTFlow(iterations=5)(one, two)
    torch.testing.assert_close(flow, 2 * (torch.stack([one[:, 0], two[:, 0]], dim=1) / 127.5 - 1))
    assert calls == [((1, 3, *padded), 5, -1.0, 1.0)]


def test_own_weights(calls, tmp_path):
    path = str(tmp_path / 'raft.pth')
    torch.save({'gain': torch.tensor(7.0)}, path)
    one, two = frames(128, 128)
    provider = RAFTFlow('small', weights=path)
    torch.testing.assert_close(provider(one, two)[:, 0], 7 * (one[:, 0] / 127.5 - 1))
    assert provider.signature.startswith('RAFTFlow(size=small, weights=raft.pth ')
    torch.save({'other': torch.tensor(7.0)}, path)
    with pytest.raises(ValueError, match='raft.pth does not fit raft_small'):
        RAFTFlow('small', weights=path)(one, two)


def test_signature(calls):
    provider = TASK_UTILS.build(dict(type='RAFTFlow'))
    assert provider.signature == 'RAFTFlow(size=large, weights=C_T_SKHT_V2, iterations=12)'


@pytest.mark.parametrize('options, message', [
    (dict(size='huge'), "one of large, small, got 'huge'"), (dict(iterations=0), 'at least 1, got 0')])
def test_wrong_arguments(calls, options, message):
    with pytest.raises(ValueError, match=message):
        RAFTFlow(**options)


def test_without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torchvision.models', None)
    with pytest.raises(ImportError, match=r'RAFTFlow needs torchvision.*pip install torchvision.*torch 2.*DISFlow'):
        RAFTFlow()
