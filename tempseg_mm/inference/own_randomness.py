"""Random numbers of one's own, so that what a sequence gives does not depend on what ran before it."""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def own_randomness(seed: int, name: str) -> Iterator[None]:
    """Inside, Python, NumPy and torch draw from streams that ``seed`` and ``name`` alone decide.

    Outside, the streams go on as if nothing had been drawn.

    Args:
        seed: of the run.
        name: of the work, e.g. of a sequence.
    """
    key = zlib.crc32(f'{seed}/{name}'.encode())
    before = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        random.seed(key)
        np.random.seed(key)
        torch.manual_seed(key)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
