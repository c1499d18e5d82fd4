"""FlowNet 2.0 and its networks as flow providers. They read their weights when the first flow is requested."""

from functools import cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from tempseg_mm.flow.flownet2.subnetworks import FlowNetC, FlowNetS, FlowNetSD
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.weight_files import file_digest, local_weights

from .base import FlowProvider
from .flownet2.flownet2 import FlowNet2, enlarged, normalized
from .flownet2.weights import build_with_weights, require_source

ENOUGH_DIGITS = 16  # digits of a digest that are enough to tell weights apart


@TASK_UTILS.register_module()
class FlowNet2Flow(FlowProvider):
    """Flow by FlowNet 2.0 (Ilg et al., CVPR 2017), as in the paper. Frames may have any size and stay on their device.

    A subclass names another ``network``.

    Args:
        weights: path or URL of the published weights, which are for research purposes only.
        sha256: digest of the file, or at least its first 8 digits, to be checked. With 16 digits or more, a full
            :class:`~tempseg_mm.flow.cached.CachedFlow` answers without the file.
        batch_size: number of pairs that go through the network at once. More than one needs more memory, and the flow
            differs from that of single pairs by rounding.

    Raises:
        ValueError: if no weights are named (the message says where to get them), or, on a request for flow, if they do
            not fit.
        FileNotFoundError: if there is no such file; the message says where to get it.
    """

    network: ClassVar[type[nn.Module]] = FlowNet2

    def __init__(self, weights: str | None = None, *, sha256: str | None = None, batch_size: int = 1) -> None:
        known = sha256 is not None and len(sha256) >= ENOUGH_DIGITS
        self.weights = require_source(weights, type(self).__name__, must_exist=not known)
        self.sha256 = sha256
        if batch_size < 1:
            raise ValueError(f'batch_size of {type(self).__name__} must be at least 1, got {batch_size}')
        self.batch_size = batch_size
        self._built: nn.Module | None = None

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _built=None)  # a data loader worker reads the file itself if it needs it

    @cached_property
    def _digest(self) -> str:
        if self.sha256 is not None and len(self.sha256) >= ENOUGH_DIGITS:
            return self.sha256
        return file_digest(local_weights(self.weights, sha256=self.sha256))

    @property
    def signature(self) -> str:
        name = Path(urlparse(self.weights).path).name
        return f'{type(self).__name__}(weights={name}, sha256={self._digest[:ENOUGH_DIGITS]})'

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        if self._built is None:
            self._built = build_with_weights(self.network, self.weights, sha256=self.sha256)
        self._built.to(frames.device)
        pairs = torch.stack([frames, next_frames], dim=2)  # [N, 3, 2, H, W]
        return torch.cat([self._flow(some.float()) for some in pairs.split(self.batch_size)])

    def _flow(self, pairs: Tensor) -> Tensor:
        return self._built(pairs)


class _QuarterSizeFlow(FlowNet2Flow):
    """Base of networks that take normalised frames and answer at a quarter of the size, in their own unit."""

    def _flow(self, pairs: Tensor) -> Tensor:
        height, width = pairs.shape[-2:]
        coarse = self._built(normalized(pairs, self.network.divisor)) * self.network.unit
        return enlarged(coarse)[..., :height, :width]


@TASK_UTILS.register_module()
class FlowNetCFlow(_QuarterSizeFlow):
    """Flow by FlowNetC alone. Arguments as :class:`FlowNet2Flow`; weights of FlowNetC or of the whole FlowNet 2.0."""

    network = FlowNetC


@TASK_UTILS.register_module()
class FlowNetSFlow(_QuarterSizeFlow):
    """Flow by FlowNetS alone. Arguments as :class:`FlowNet2Flow`; weights of FlowNet2-S.

    The weights of the whole FlowNet 2.0 do not fit: the FlowNetS networks in it only correct an earlier flow.
    """

    network = FlowNetS


@TASK_UTILS.register_module()
class FlowNetSDFlow(_QuarterSizeFlow):
    """Flow by FlowNetSD alone. Arguments as :class:`FlowNet2Flow`; weights of FlowNetSD or of the whole FlowNet 2.0."""

    network = FlowNetSD
