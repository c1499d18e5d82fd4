import torch
from torch import nn

from tempseg_mm.engine.optim.autocast_wrapper import BF16OptimWrapper


def test_computes_in_bfloat16_and_keeps_weights_in_single_precision():
    layer = nn.Linear(3, 2)
    wrapper = BF16OptimWrapper(torch.optim.SGD(layer.parameters(), lr=0.5))
    with wrapper.optim_context(layer):
        answer = layer(torch.ones(1, 3))
    assert answer.dtype is torch.bfloat16
    assert layer(torch.ones(1, 3)).dtype is torch.float32  # outside it is over
    before = layer.bias.detach().clone()
    wrapper.update_params(answer.float().sum())
    assert layer.weight.dtype is torch.float32
    torch.testing.assert_close(layer.bias.detach(), before - 0.5)


def test_accumulates_like_any_wrapper():
    layer = nn.Linear(1, 1)
    wrapper = BF16OptimWrapper(torch.optim.SGD(layer.parameters(), lr=1.0), accumulative_counts=2)
    wrapper.initialize_count_status(layer, 0, 4)
    before = layer.bias.item()
    changed = []
    for _ in range(4):
        with wrapper.optim_context(layer):
            loss = layer(torch.zeros(1, 1)).sum()
        wrapper.update_params(loss)
        changed.append(round(before - layer.bias.item(), 4))
    assert changed == [0, 1, 1, 2]
