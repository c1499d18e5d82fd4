"""Random numbers of one's own, so that what a sequence gives does not depend on what ran before it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tempseg_mm.random_state import seed_of, seeded


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
