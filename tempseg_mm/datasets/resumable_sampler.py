"""Endless shuffled indices that can start anywhere, each with the seed of its item's random draws. Named in configs,
told where to start by :class:`~tempseg_mm.datasets.data_stream.DataStream`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count, islice

from mmengine.dataset import InfiniteSampler

from tempseg_mm.registry import DATA_SAMPLERS
from tempseg_mm.runtime.random_state import seed_of, seeded


class SeededIndex(int):
    """An index with ``draw_seed``; to a data set that does not know it, an index like any other."""

    def __new__(cls, index: int, draw_seed: int = 0) -> 'SeededIndex':
        made = super().__new__(cls, index)
        made.draw_seed = draw_seed
        return made


def draws_of(index: int) -> AbstractContextManager:
    """Inside, random draws are those of a :class:`SeededIndex`, whatever process makes them, and leave no trace."""
    return seeded(index.draw_seed, gpu=False) if isinstance(index, SeededIndex) else nullcontext()


@DATA_SAMPLERS.register_module()
class ResumableSampler(InfiniteSampler):
    """The order of mmengine's ``InfiniteSampler``, from any place on.

    The stream is numbered through all processes: of P processes, number r takes the entries r, r + P, r + 2P, ...
    An entry's index and the seed of its draws follow from ``seed`` and its number alone, so the process or worker that
    loads it changes nothing.

    Args:
        dataset: of which indices are drawn.
        shuffle: whether each round through the data set is in a new order.
        seed: of the run, the same in all processes; ``None``: one drawn and shared.

    Attributes:
        start: number of the entry that the next iteration over this sampler begins with, before the processes' shares.
    """

    start = 0

    def __iter__(self) -> Iterator[int]:
        """Endless :class:`SeededIndex`; to skip is to count, nothing is loaded."""
        first = self.start + self.rank
        indices = islice(self._infinite_indices(), first, None, self.world_size)
        for number, index in zip(count(first, self.world_size), indices):  # noqa: B905 - both endless
            yield SeededIndex(index, seed_of(self.seed, number))
