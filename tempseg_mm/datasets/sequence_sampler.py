"""Which whole sequences this process tests. Built by the Runner for a test data set; relies on mmengine's ranks."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from tempseg_mm.registry import DATA_SAMPLERS


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
