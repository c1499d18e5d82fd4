"""Selects data: the frames of a clip, the endless indices of training, the sequences of a test."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count, islice
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from tempseg_mm.registry import DATA_SAMPLERS
from tempseg_mm.runtime.random_state import seed_of, seeded


class ClipSampler:
    """Lists the clips of a sequence: T frames each, ``stride`` frames apart, one clip at every ``step``-th frame.

    Paper note: "mini-batches of 50 frames" are read as 10 clips of 5 consecutive frames (paper note P14).

    Args:
        clip_length: T, at least 1. Losses between frames need 2 or more.
        stride: distance between neighbouring frames of a clip. Flow on disk joins neighbouring frames only, so with a
            stride above 1 the flow provider estimates the flow.
        step: distance between the first frames of neighbouring clips.

    Raises:
        ValueError: if an argument is not an integer of at least 1.
    """

    def __init__(self, clip_length: int = 5, *, stride: int = 1, step: int = 1) -> None:
        for name, value in (('clip_length', clip_length), ('stride', stride), ('step', step)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} of ClipSampler must be an integer of at least 1, got {value!r}')
        self.clip_length, self.stride, self.step = clip_length, stride, step

    @property
    def span(self) -> int:
        """Number of frames from the first to the last frame of a clip, both included."""
        return (self.clip_length - 1) * self.stride + 1

    def clips(self, num_frames: int) -> list:
        """Return all clips of a sequence of ``num_frames`` frames.

        Returns:
            One list of T frame indices per clip; no clip if the sequence is shorter than :attr:`span`.

        >>> ClipSampler(3, stride=2, step=1).clips(6)
        [[0, 2, 4], [1, 3, 5]]
        """
        starts = range(0, num_frames - self.span + 1, self.step)
        return [list(range(start, start + self.span, self.stride)) for start in starts]


class SeededIndex(int):
    """An index with ``draw_seed``, the seed for the random draws of its item. It also serves as a plain index."""

    def __new__(cls, index: int, draw_seed: int = 0) -> 'SeededIndex':
        made = super().__new__(cls, index)
        made.draw_seed = draw_seed
        return made


def draws_of(index: int) -> AbstractContextManager:
    """Return a context in which random draws follow a :class:`SeededIndex` in any process, and leave no trace."""
    return seeded(index.draw_seed, gpu=False) if isinstance(index, SeededIndex) else nullcontext()


@DATA_SAMPLERS.register_module()
class ResumableSampler(InfiniteSampler):
    """Gives the order of mmengine's ``InfiniteSampler`` and can start at any position.

    Entries are numbered over all processes: with P processes, process r takes the entries r, r + P, r + 2P, ... The
    index of an entry and the seed of its random draws depend only on ``seed`` and the entry's number, so it makes no
    difference which process or worker loads it.

    Args:
        dataset: the data set whose indices are drawn.
        shuffle: draw a new order for each pass through the data set.
        seed: seed of the run, the same in all processes; ``None``: one is drawn and shared.

    Attributes:
        start: number of the entry, over all processes, with which the next iteration begins.
    """

    start = 0

    def __iter__(self) -> Iterator[int]:
        """Yield :class:`SeededIndex` endlessly. Entries before ``start`` are counted and not loaded."""
        first = self.start + self.rank
        indices = islice(self._infinite_indices(), first, None, self.world_size)
        for number, index in zip(count(first, self.world_size), indices):  # noqa: B905 - both endless
            yield SeededIndex(index, seed_of(self.seed, number))


@DATA_SAMPLERS.register_module()
class SequenceSampler(Sampler):
    """Assigns each test sequence to one process so that all processes have about as many frames.

    A single process gets all sequences, in order. Unlike mmengine's ``DefaultSampler`` it never repeats a sequence to
    even out the numbers, so a process may get none.

    Args:
        dataset: a :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` of whole sequences.
        seed: not used; mmengine passes one to every sampler.
    """

    def __init__(self, dataset: Any, *, seed: int | None = None) -> None:
        rank, world_size = get_dist_info()
        lengths = [len(dataset.get_data_info(index)['sequence']) for index in range(len(dataset))]
        self.indices = shares(lengths, world_size)[rank]

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def shares(lengths: Sequence[int], parts: int) -> list[list[int]]:
    """Distribute sequences, the longest first, each to the part that has the fewest frames so far.

    Args:
        lengths: number of frames of each sequence.
        parts: number of processes.

    Returns:
        Indices of the sequences of each part, ascending: ``shares([9, 2, 5, 3], 2) == [[0], [1, 2, 3]]``.
    """
    frames, split = [0] * parts, [[] for _ in range(parts)]
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        part = frames.index(min(frames))
        frames[part] += lengths[index]
        split[part].append(index)
    return [sorted(part) for part in split]
