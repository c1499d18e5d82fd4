"""Random streams of this process (Python, NumPy, torch) as plain data.

Used where a run must be repeatable: data sets, online fine-tuning, checkpoints.
"""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def get_random_state(*, gpu: bool = True) -> dict:
    """Return the state of all streams as numbers and tensors that ``torch.load(weights_only=True)`` reads.

    Args:
        gpu: include the stream of the GPU in use; this does not wait for the GPU's work. Must be False in a forked
            process.
    """
    kind, keys, *rest = np.random.get_state()
    state = dict(python=random.getstate(), numpy=[kind, torch.from_numpy(keys.astype(np.int64)), *rest],
                 torch=torch.get_rng_state())
    if gpu and torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict) -> None:
    """Restore the streams from :func:`get_random_state`. Its tensors may lie on any device."""
    version, words, gauss = state['python']
    random.setstate((version, tuple(words), gauss))
    kind, keys, *rest = state['numpy']
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def seed_of(seed: int, name: object) -> int:
    """Return 32 bits that depend only on ``seed`` and ``name``."""
    return zlib.crc32(f'{seed}/{name}'.encode())


@contextmanager
def seeded(seed: int, *, gpu: bool = True) -> Iterator[None]:
    """Start all streams from ``seed`` for the block; afterwards they continue as if nothing had been drawn.

    Args:
        seed: in [0, 2³²).
        gpu: include the stream of the GPU in use. Must be False in a forked process.
    """
    before = get_random_state(gpu=gpu)
    random.seed(seed)
    np.random.seed(seed)
    (torch if gpu else torch.default_generator).manual_seed(seed)
    try:
        yield
    finally:
        set_random_state(before)


@contextmanager
def own_randomness(seed: int, name: str) -> Iterator[None]:
    """Draw from streams that depend only on ``seed`` and ``name`` for the block.

    This holds for Python, NumPy and torch. After the block, the streams continue as if nothing had been drawn.

    Args:
        seed: seed of the run.
        name: name of the work, e.g. of a sequence.
    """
    with seeded(seed_of(seed, name)):
        yield
