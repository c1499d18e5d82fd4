"""The random streams of this process, Python's, NumPy's and torch's, as plain data; used wherever a run must be
repeatable: data sets, online fine-tuning, checkpoints."""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def get_random_state(*, gpu: bool = True) -> dict:
    """Where all streams stand, as numbers and tensors that ``torch.load(weights_only=True)`` reads.

    Args:
        gpu: also that of the GPU in use, without waiting for its work; must be off in a forked process.
    """
    kind, keys, *rest = np.random.get_state()
    state = dict(python=random.getstate(), numpy=[kind, torch.from_numpy(keys.astype(np.int64)), *rest],
                 torch=torch.get_rng_state())
    if gpu and torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict) -> None:
    """Put the streams back to where :func:`get_random_state` found them; tensors may lie on any device."""
    version, words, gauss = state['python']
    random.setstate((version, tuple(words), gauss))
    kind, keys, *rest = state['numpy']
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def seed_of(seed: int, name: object) -> int:
    """32 bits that ``seed`` and ``name`` alone decide."""
    return zlib.crc32(f'{seed}/{name}'.encode())


@contextmanager
def seeded(seed: int, *, gpu: bool = True) -> Iterator[None]:
    """Inside, all streams start from ``seed``; afterwards they go on as if nothing had been drawn.

    Args:
        seed: in [0, 2³²).
        gpu: also the stream of the GPU in use; must be off in a forked process.
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
    """Inside, Python, NumPy and torch draw from streams that ``seed`` and ``name`` alone decide.

    Outside, the streams go on as if nothing had been drawn.

    Args:
        seed: of the run.
        name: of the work, e.g. of a sequence.
    """
    with seeded(seed_of(seed, name)):
        yield
