"""Fills a flow cache for a config, in several processes, for ``tempseg-precompute-flow``."""

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
    """Result of filling a flow cache.

    Attributes:
        provider: config of the cached provider, ready to be used.
        num_pairs: number of frame pairs that are in the cache now.
        num_estimated: number of them that were added by this call.
    """
    provider: dict
    num_pairs: int
    num_estimated: int


def cached_provider(cfg: Config, *, cache_dir: str | None = None, dtype: str | None = None) -> dict:
    """Return the config's own ``CachedFlow``, or a new ``CachedFlow`` around its flow provider.

    Args:
        cfg: config with ``model.data_preprocessor.flow``.
        cache_dir: folder of the cache; ``None`` for the folder that the config names.
        dtype: see :class:`~tempseg_mm.flow.cached.CachedFlow`; ``None`` for the type in the config, else float32.

    Raises:
        ValueError: if the config has no provider, or no folder for the cache is named.
    """
    flow = configured_provider(cfg)
    if flow['type'] != 'CachedFlow':
        flow = dict(type='CachedFlow', provider=flow, cache_dir=None)
    flow = {**flow, 'cache_dir': cache_dir or flow['cache_dir'], **(dict(dtype=dtype) if dtype else {})}
    if not flow['cache_dir']:
        raise ValueError(f'{flow["provider"]["type"]} of this config has no cache: name a folder for it (--cache-dir)')
    return {key: value for key, value in flow.items() if key != 'missing'}


def fill_cache(cfg: Config, *, parts: Sequence[str] = ('train', 'test'), cache_dir: str | None = None,
               dtype: str | None = None, workers: int | None = None, device: str = 'cpu',
               log: Callable[[str], None] = lambda text: None) -> FilledCache:
    """Estimate the flow of every frame pair that training (before augmentation) and tests will read.

    Pairs that are in the cache already are read, checked and not estimated again, so a run that was stopped continues.

    Args:
        cfg: config of a training or a test.
        parts: data to go through: ``'train'``, ``'test'`` or both.
        cache_dir: see :func:`cached_provider`.
        dtype: see :func:`cached_provider`.
        workers: number of processes, see ``WorkerPool``; on a GPU everything runs in this process.
        device: device of the frames that the provider gets.
        log: called with lines about the progress.

    Raises:
        ValueError: see :func:`cached_provider`; also if the cache holds another provider's flow.
        RuntimeError: if a worker fails; the message names its frames.
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
        for some in pairs[:1]:  # a fault of provider or cache shows here, not in a worker
            count(some, _fill(stored, some, device))
        with WorkerPool(workers) as pool:
            in_worker = pool.workers > 0
            for some, new in pool.in_order(
                    pairs[1:], lambda some: Job(str(some), _fill, (stored, some, device, in_worker))):
                count(some, new)
    return FilledCache(provider, total, estimated)


def _fill(stored: bytes, pairs: FramePairs, device: str, in_worker: bool = False) -> int:
    """Estimate missing pairs and return how many were not in the cache."""
    if in_worker:  # the worker processes already use all cores
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    cache = _cache(stored)
    before = cache.num_estimated
    cache(*(frames.to(device) for frames in pairs.load()))
    return cache.num_estimated - before


@lru_cache(maxsize=1)
def _cache(stored: bytes) -> CachedFlow:
    """Build the provider once per process, so that a network is read only once."""
    provider, custom_imports = pickle.loads(stored)
    if custom_imports:
        import_modules_from_strings(**custom_imports)
    return TASK_UTILS.build(provider)
