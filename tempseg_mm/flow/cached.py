"""Cache on disk for any flow provider, so that the flow of each pair of frames is estimated only once."""

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.atomic import written_beside

from .base import FlowProvider
from .flo_file import BrokenFlowFileError, read_flo, write_flo
from .npy_file import read_npy, write_npy

FORMATS = dict(float32=('.flo', read_flo, write_flo), float16=('.npy', read_npy, write_npy))
MANIFEST = 'manifest.json'
MOST_WARNINGS = 5  # per provider, since a cache may hold a hundred thousand files
VERSION = 1  # format of the cache, to be raised whenever the meaning of its files changes


class StaleCacheError(ValueError):
    """Raised when the cache was filled by another provider, with other parameters or in another format."""


@TASK_UTILS.register_module()
class CachedFlow(FlowProvider):
    """Keeps the answers of another provider on disk::

        cache_dir/
        └── 480x854/                       one folder for each size of frames
            ├── manifest.json              provider, parameters, size and format; anything else is refused
            └── 1f/a03c....flo             named by a hash of both frames and the provider's signature

    The hash finds only identical frames, so augmented frames are never found again. Use the cache before augmentation
    (``LoadFlow`` as the second step of a pipeline) and in tests. ``tempseg-precompute-flow`` fills it. Several
    processes may share it.

    Args:
        provider: a :class:`FlowProvider` or the config of one.
        cache_dir: the folder; created when needed.
        dtype: ``'float32'``: ``.flo`` files with the provider's answers bit for bit; ``'float16'``: ``.npy`` files of
            half the size, exact to 1/32 pixel up to 64 pixels.
        missing: action for flow that is not in the cache: ``'estimate'`` it and save it, or raise an ``'error'``.

    Raises:
        ValueError: for another ``dtype`` or ``missing``.
        StaleCacheError: on a request for flow, if the folder was filled by another provider, with other parameters or
            dtype.
        FileNotFoundError: on a request for flow that is not in the cache, with ``missing='error'``.
    """

    def __init__(self, provider: dict | FlowProvider, cache_dir: str, *, dtype: str = 'float32',
                 missing: str = 'estimate') -> None:
        for name, value, known in (('dtype', dtype, tuple(FORMATS)), ('missing', missing, ('estimate', 'error'))):
            if value not in known:
                raise ValueError(f'{name} of CachedFlow must be one of {", ".join(known)}, got {value!r}')
        self.provider = TASK_UTILS.build(provider) if isinstance(provider, dict) else provider
        self.cache_dir, self.dtype, self.missing = Path(cache_dir), dtype, missing
        self.num_estimated = 0  # pairs that were not in the cache
        self.num_broken = 0  # files that were there but unusable
        self._suffix, self._read_file, self._write_file = FORMATS[dtype]
        self._opened: set = set()

    @property
    def on_cpu(self) -> bool:
        return self.provider.on_cpu

    @property
    def signature(self) -> str:
        return self.provider.signature

    def folder(self, size: tuple) -> Path:
        """Return the folder of the flow of frames of ``size`` = (H, W)."""
        return self.cache_dir / f'{size[0]}x{size[1]}'

    def path(self, frame: Tensor, next_frame: Tensor) -> Path:
        """Return the file for the flow from ``frame`` to ``next_frame``, both (3, H, W), whether or not it exists."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f'{self.signature}|{tuple(frame.shape)}|{frame.dtype}'.encode())
        for image in (frame, next_frame):
            digest.update(np.ascontiguousarray(image.detach().cpu().numpy()))
        name = digest.hexdigest()
        return self.folder(frame.shape[1:]) / name[:2] / f'{name[2:]}{self._suffix}'

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        size = tuple(frames.shape[2:])
        self._open(size)
        paths = [self.path(*pair) for pair in zip(frames, next_frames, strict=True)]
        flows = [self._read(path, size) for path in paths]
        lacking = [n for n, flow in enumerate(flows) if flow is None]
        if lacking and self.missing == 'error':
            raise FileNotFoundError(
                f'{len(lacking)} of {len(paths)} flows are not in {self.folder(size)}: fill it with '
                "tempseg-precompute-flow, or set `missing='estimate'`. (The cache has no augmented frames: put "
                'LoadFlow directly after LoadClip.)')
        if lacking:
            made = self.provider(frames[lacking], next_frames[lacking]).cpu().permute(0, 2, 3, 1).numpy()
            self.num_estimated += len(lacking)
            for n, flow in zip(lacking, made, strict=True):
                self._write_file(paths[n], flow)
                # In half precision too, the answer now equals the answer that the file gives later.
                flows[n] = flow if self.dtype == 'float32' else flow.astype(np.float16).astype(np.float32)
        return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous()  # [N,H,W,2] -> [N,2,H,W]

    def _open(self, size: tuple) -> None:
        """Check the manifest of a folder once; write one if the folder has none."""
        if size in self._opened:
            return
        path = self.folder(size) / MANIFEST
        wanted = dict(version=VERSION, provider=self.signature, height=size[0], width=size[1], dtype=self.dtype)
        if path.is_file():
            _require_same(path, wanted)
        elif self.missing == 'error':
            there = sorted(found.parent.name for found in self.cache_dir.glob(f'*/{MANIFEST}'))
            raise FileNotFoundError(
                f'{self.cache_dir} has no flow of {size[0]}x{size[1]} (height x width) frames; it has: '
                f"{', '.join(there) or 'nothing'}. Fill it with tempseg-precompute-flow, or set `missing='estimate'`")
        else:
            with written_beside(path) as beside:
                beside.write_text(json.dumps(wanted, indent=1), encoding='utf-8')
        self._opened.add(size)

    def _read(self, path: Path, size: tuple) -> np.ndarray | None:
        try:
            flow = self._read_file(path)
        except FileNotFoundError:
            return None
        except BrokenFlowFileError as error:
            return self._recompute(error)
        fault = f'{flow.shape[:2]}, not {size}' if flow.shape[:2] != size else 'not finite'
        if flow.shape[:2] != size or not np.isfinite(flow).all():
            return self._recompute(f'{path} is {fault}')
        return flow

    def _recompute(self, reason: object) -> None:
        self.num_broken += 1
        if self.num_broken <= MOST_WARNINGS:
            last = '; further ones are not reported' if self.num_broken == MOST_WARNINGS else ''
            warnings.warn(f'recomputing a cached flow: {reason}{last}', stacklevel=2)


def _require_same(path: Path, wanted: dict) -> None:
    way_out = f'Delete {path.parent} so that it is made again, or set another `cache_dir`'
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
        differing = [key for key in wanted if found.get(key) != wanted[key]]
    except (ValueError, AttributeError, RecursionError) as error:
        raise StaleCacheError(f'{path} is not a manifest of a flow cache ({error}). {way_out}') from error
    if differing:
        raise StaleCacheError(f'the flow in {path.parent} does not fit these settings: ' + '; '.join(
            f'its {key} is {found.get(key)!r}, not {wanted[key]!r}' for key in differing) + f'. {way_out}')
