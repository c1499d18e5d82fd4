"""Checkpoints of plain types only, so that ``torch.load(weights_only=True)`` reads them, and of the right architecture.

mmengine puts ``HistoryBuffer`` objects and NumPy scalars into a checkpoint's ``message_hub``; ``torch.load`` (2.6 and
later) rejects both, which breaks resuming.
"""

from collections.abc import Mapping

import numpy as np
from mmengine.logging import HistoryBuffer


def make_plain(message_hub: dict) -> None:
    """Replace, in place, buffers by lists of numbers and NumPy scalars by Python's."""
    message_hub['log_scalars'] = {
        name: dict(values=buffer.data[0].tolist(), counts=buffer.data[1].tolist(), max_length=buffer.max_length)
        for name, buffer in message_hub['log_scalars'].items()}
    message_hub['runtime_info'] = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in message_hub['runtime_info'].items()}


def rebuild(message_hub: dict) -> None:
    """Undo :func:`make_plain` in place."""
    message_hub['log_scalars'] = {
        name: HistoryBuffer(saved['values'], saved['counts'], saved['max_length'])
        for name, saved in message_hub['log_scalars'].items()}


def require_same_architecture(saved: Mapping, wanted: Mapping) -> None:
    """Compare names and shapes of two state dicts.

    Raises:
        ValueError: listing the first keys that are missing, unknown or of another shape.
    """
    faults = [f'missing {key} {tuple(wanted[key].shape)}' for key in wanted if key not in saved]
    faults += [f'unknown {key} {tuple(saved[key].shape)}' for key in saved if key not in wanted]
    faults += [f'{key} is {tuple(saved[key].shape)}, the model has {tuple(wanted[key].shape)}'
               for key in wanted if key in saved and saved[key].shape != wanted[key].shape]
    if faults:
        more = f' ... and {len(faults) - 5} more' if len(faults) > 5 else ''
        raise ValueError('the checkpoint is of another architecture than the config: ' + '; '.join(faults[:5]) + more
                         + '. Use the config (width, reference_mask, backbone, decoder) that it was trained with.')
