"""What is drawn from data sets: the frames of a clip, the endless indices of training, the sequences of a test."""

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
    """Every clip of T frames, ``stride`` apart, starting at every ``step``-th frame.

    Paper note: "mini-batches of 50 frames" are read as 10 clips of 5 consecutive frames (paper note P14).

    Args:
        clip_length: T, at least 1. Losses between frames need 2 or more.
        stride: distance between neighbouring frames of a clip. Above 1 the flow on disk, which joins neighbouring
            frames only, no longer fits; it is then left to the flow provider.
        step: distance between the first frames of neighbouring clips.

    Raises:
        ValueError: if one of them is not an integer of at least 1.
    """

    def __init__(self, clip_length: int = 5, *, stride: int = 1, step: int = 1) -> None:
        for name, value in (('clip_length', clip_length), ('stride', stride), ('step', step)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} of ClipSampler must be an integer of at least 1, got {value!r}')
        self.clip_length, self.stride, self.step = clip_length, stride, step

    @property
    def span(self) -> int:
        """Number of frames from the first to the last of a clip, both included."""
        return (self.clip_length - 1) * self.stride + 1

    def clips(self, num_frames: int) -> list:
        """All clips of a sequence.

        Args:
            num_frames: length of the sequence.

        Returns:
            Lists of T frame indices each; none if the sequence is shorter than :attr:`span`.

        >>> ClipSampler(3, stride=2, step=1).clips(6)
        [[0, 2, 4], [1, 3, 5]]
        """
        starts = range(0, num_frames - self.span + 1, self.step)
        return [list(range(start, start + self.span, self.stride)) for start in starts]


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


@DATA_SAMPLERS.register_module()
class SequenceSampler(Sampler):
    """Each sequence goes to one process, so that all have about as many frames; one process has all of them, in order.

    Unlike mmengine's ``DefaultSampler`` it repeats none where their number is no multiple of the processes'; a process
    may have none at all.

    Args:
        dataset: a :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` of whole sequences.
        seed: not used; mmengine gives one to every sampler.
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
    """Split sequences: the longest first, each to the part that has the fewest frames so far.

    Args:
        lengths: frames of each sequence.
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
