"""Any flow provider in front of ``.flo`` files on disk, so that a pair of frames is estimated once."""

import hashlib
import os
import warnings

import numpy as np
import torch
from torch import Tensor

from tempseg_mm.registry import TASK_UTILS

from .base import FlowProvider
from .flo_file import BrokenFlowFileError, read_flo, write_flo


@TASK_UTILS.register_module()
class CachedFlow(FlowProvider):
    """Keeps the answers of another provider on disk.

    A file is named by a hash of both frames, their shape and dtype, and the provider's signature; hence nothing stale
    can be read, and frames that differ at all (augmented ones) are never found again: use it for evaluation and for
    fixed clips. Several processes may share the folder.

    Args:
        provider: a :class:`FlowProvider` or the config of one.
        cache_dir: folder of the files ``<2 hex digits>/<30 hex digits>.flo``; created when needed.
    """

    def __init__(self, provider: dict | FlowProvider, cache_dir: str) -> None:
        self.provider = TASK_UTILS.build(provider) if isinstance(provider, dict) else provider
        self.cache_dir = os.fspath(cache_dir)

    @property
    def signature(self) -> str:
        return self.provider.signature

    def path(self, frame: Tensor, next_frame: Tensor) -> str:
        """The file that holds, or would hold, the flow from ``frame`` to ``next_frame``, both (3, H, W)."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f'{self.signature}|{tuple(frame.shape)}|{frame.dtype}'.encode())
        for image in (frame, next_frame):
            digest.update(image.detach().cpu().contiguous().numpy().tobytes())
        name = digest.hexdigest()
        return os.path.join(self.cache_dir, name[:2], f'{name[2:]}.flo')

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        paths = [self.path(*pair) for pair in zip(frames, next_frames, strict=True)]
        flows = [self._read(path, frames.shape[2:]) for path in paths]
        missing = [n for n, flow in enumerate(flows) if flow is None]
        if missing:
            made = self.provider(frames[missing], next_frames[missing]).cpu().permute(0, 2, 3, 1).numpy()
            for n, flow in zip(missing, made, strict=True):
                write_flo(paths[n], flow)
                flows[n] = flow
        return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous()  # [N,H,W,2] -> [N,2,H,W]

    @staticmethod
    def _read(path: str, size: tuple) -> np.ndarray | None:
        if not os.path.isfile(path):
            return None
        try:
            flow = read_flo(path)
        except BrokenFlowFileError as error:
            warnings.warn(f'recomputing a cached flow: {error}', stacklevel=2)
            return None
        if flow.shape[:2] != tuple(size):
            warnings.warn(f'recomputing a cached flow: {path} is {flow.shape[:2]}, not {tuple(size)}', stacklevel=2)
            return None
        return flow
