"""Several processes of one run: waiting for each other, and the model as one of them alone has it.

Used by the test loop and the heartbeat; relies on the store that torch's process group keeps.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.dist import get_dist_info
from mmengine.model import is_model_wrapper
from torch import nn
from torch.distributed import Store, distributed_c10d

_MEETINGS = itertools.count()  # every process counts alike, since all of them come to every meeting


def run_store() -> Store:
    """The key-value store of the run, which all processes reach; needs a process group."""
    store = distributed_c10d._get_default_store()
    return store.clone() if hasattr(store, 'clone') else store  # a connection of its own, where torch can


def wait_for_all(poll: float = 0.2) -> None:
    """Return when every process of the run has come here, however long that takes; at once if there is but one.

    A collective would end in an error after the time-out of the process group, and a process that fine-tunes on long
    sequences may come that much later. Whether it still lives is what the heartbeat looks after.

    Args:
        poll: seconds between two looks.

    Raises:
        RuntimeError: if the process that keeps the store is gone.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return
    store, key = run_store(), f'tempseg_mm/meeting/{next(_MEETINGS)}'
    try:
        _wait_for(store, f'{key}/came', world_size, poll)
        if rank == 0:  # it may keep the store, and the others are still asking
            _wait_for(store, f'{key}/saw', world_size, poll)
        else:
            store.add(f'{key}/saw', 1)
    except RuntimeError as error:
        raise RuntimeError(f'process {rank} waited for the others, but the store of the run is gone, and with it the '
                           'process that kept it: rank 0, or torchrun. See what that one said last.') from error


def _wait_for(store: Store, key: str, count: int, poll: float) -> None:
    store.add(key, 1)
    while store.add(key, 0) < count:
        time.sleep(poll)


@contextmanager
def without_wrappers(model: nn.Module) -> Iterator[nn.Module]:
    """Inside, the sub-modules of ``model`` are bare: a backward pass through them waits for no other process.

    Args:
        model: whose children may be wrapped for distributed training; changed in place, and changed back.
    """
    wrapped = {name: child for name, child in model.named_children() if is_model_wrapper(child)}
    for name, child in wrapped.items():
        setattr(model, name, child.module)
    try:
        yield model
    finally:
        for name, child in wrapped.items():
            setattr(model, name, child)
