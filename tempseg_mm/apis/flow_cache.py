"""Fills a flow cache for a config, in several processes. Called by ``tempseg-precompute-flow``."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import torch
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from tempseg_mm.flow.cached import CachedFlow
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.runtime.worker_pool import Job, WorkerPool

from .flow_evaluation import FramePairs, configured_provider, frame_pairs


@dataclass(frozen=True)
class FilledCache:
    """What was done.

    Attributes:
        provider: config of the cache, to be used as it is.
        num_pairs: pairs of frames that are in the cache now.
        num_estimated: those that were not there before.
    """
    provider: dict
    num_pairs: int
    num_estimated: int


def cached_provider(cfg: Config, *, cache_dir: str | None = None, dtype: str | None = None) -> dict:
    """The config's flow provider with a cache before it: its own ``CachedFlow``, or one around it.

    Args:
        cfg: config with ``model.data_preprocessor.flow``.
        cache_dir: folder of the cache; ``None``: that of its own.
        dtype: see :class:`~tempseg_mm.flow.cached.CachedFlow`; ``None``: that of its own, or float32.

    Raises:
        ValueError: if there is no provider, or no folder for the cache.
    """
    flow = configured_provider(cfg)
    if flow['type'] != 'CachedFlow':
        flow = dict(type='CachedFlow', provider=flow, cache_dir=None)
    flow = {**flow, 'cache_dir': cache_dir or flow['cache_dir'], **(dict(dtype=dtype) if dtype else {})}
    if not flow['cache_dir']:
        raise ValueError(f'{flow["provider"]["type"]} of this config has no cache: name a folder for one (--cache-dir)')
    return {key: value for key, value in flow.items() if key != 'missing'}


def fill_cache(cfg: Config, *, parts: Sequence[str] = ('train', 'test'), cache_dir: str | None = None,
               dtype: str | None = None, workers: int | None = None, device: str = 'cpu',
               log: Callable[[str], None] = lambda text: None) -> FilledCache:
    """Estimates the flow of every pair of frames that training (before augmentation) and tests will ask for.

    What is there already is read, checked and left alone, so a run that was stopped goes on where it was.

    Args:
        cfg: config of a training or a test.
        parts: data to go through.
        cache_dir: see :func:`cached_provider`.
        dtype: see :func:`cached_provider`.
        workers: processes, see ``WorkerPool``; on a GPU all is done in this one.
        device: where frames are when the provider is asked.
        log: takes lines about the progress.

    Raises:
        ValueError: see :func:`cached_provider`; also if the cache holds another provider's flow.
        RuntimeError: if a worker fails, with the frames it was at.
        InUseError: if another run fills the cache.
    """
    provider = cached_provider(cfg, cache_dir=cache_dir, dtype=dtype)
    stored = pickle.dumps((provider, cfg.get('custom_imports')))
    pairs = frame_pairs(cfg, parts)
    total = sum(map(len, pairs))
    progress = Progress(total, log, unit='pairs', interval=5)
    done = estimated = 0
    workers = 0 if torch.device(device).type != 'cpu' else workers

    def count(some: FramePairs, new: int) -> None:
        nonlocal done, estimated
        done, estimated = done + len(some), estimated + new
        for _ in some.first:
            progress.step(f'{done} of {total} pairs, {estimated} new ({some.sequence.name})')

    with locked(provider['cache_dir'], option='--cache-dir'):
        for some in pairs[:1]:  # what is wrong with provider or cache is found here, not in a worker
            count(some, _fill(stored, some, device))
        with WorkerPool(workers) as pool:
            in_worker = pool.workers > 0
            for some, new in pool.in_order(
                    pairs[1:], lambda some: Job(str(some), _fill, (stored, some, device, in_worker))):
                count(some, new)
    return FilledCache(provider, total, estimated)


def _fill(stored: bytes, pairs: FramePairs, device: str, in_worker: bool = False) -> int:
    """Number of pairs that were not in the cache."""
    if in_worker:  # the processes share the cores already
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    cache = _cache(stored)
    before = cache.num_estimated
    cache(*(frames.to(device) for frames in pairs.load()))
    return cache.num_estimated - before


@lru_cache(maxsize=1)
def _cache(stored: bytes) -> CachedFlow:
    """One a process: a network is read once."""
    provider, custom_imports = pickle.loads(stored)
    if custom_imports:
        import_modules_from_strings(**custom_imports)
    return TASK_UTILS.build(provider)
