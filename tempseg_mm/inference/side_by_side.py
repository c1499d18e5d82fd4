"""Clips of a step side by side on the cores of a CPU. Called by the online fine-tuner."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def side_by_side(num_threads: int) -> Iterator[Callable[[Callable, Iterable], list]]:
    """A ``map`` whose calls run in so many threads at once, one thread of torch each; with one it is Python's own.

    The layers of a small network are too small to be shared out among cores: two threads in every layer gain next to
    nothing, two clips side by side take little longer than one. What is called must draw no random numbers, since the
    threads' order is nobody's; results come in the order of the items.

    ::

        with side_by_side(2) as run:
            gradients = run(gradients_of, clips)

    Args:
        num_threads: 1 or more.
    """
    if num_threads == 1:
        yield lambda function, items: list(map(function, items))
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # Said in every thread too: the first operation of a new one takes the default, and then rounds otherwise.
        with ThreadPoolExecutor(num_threads, 'side_by_side', torch.set_num_threads, (1,)) as pool:
            yield lambda function, items: list(pool.map(function, items))
    finally:
        torch.set_num_threads(before)
