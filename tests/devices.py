"""Moves what tests compare between devices."""

from dataclasses import fields, replace

from torch import Tensor, nn


def on(device, record):
    """A record of tensors, such as a batch or a prediction, with all of them on a device."""
    tensors = {field.name: getattr(record, field.name) for field in fields(record)}
    return replace(record, **{name: value.to(device) for name, value in tensors.items() if isinstance(value, Tensor)})


def weights_of(module: nn.Module) -> dict:
    """Copies of parameters and buffers by name, on the CPU, where checkpoints lie."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
