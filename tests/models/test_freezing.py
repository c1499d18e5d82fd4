import pytest
import torch
from torch import nn

from tempseg_mm.models.freezing import frozen


def test_gradient_passes_through_but_not_into():
    layer = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.detach())
    assert layer.weight.grad is None
    assert all(p.requires_grad for p in layer.parameters())


def test_what_was_frozen_before_stays_frozen():
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    with frozen(layer):
        assert not layer.weight.requires_grad
    assert layer.weight.requires_grad and not layer.bias.requires_grad


def test_thaws_after_an_exception():
    layer = nn.Linear(2, 1)
    with pytest.raises(ZeroDivisionError), frozen(layer):
        raise ZeroDivisionError
    assert all(p.requires_grad for p in layer.parameters())
