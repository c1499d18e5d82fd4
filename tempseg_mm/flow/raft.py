"""RAFT from torchvision as a flow provider. torchvision is not a requirement of the project; install it to use this."""

from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from tempseg_mm.ops.resize import pad_to_multiple
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.weight_files import file_digest, local_weights, read_weights

from .base import FlowProvider

SIZES = ('large', 'small')
MIN_SIDE = 128  # torchvision requires it: four pyramid levels from an eighth of the size


@TASK_UTILS.register_module()
class RAFTFlow(FlowProvider):
    """Flow by RAFT (Teed and Deng, ECCV 2020), on the device of the frames. Sides under 128 pixels are padded.

    Args:
        size: ``'large'`` or ``'small'``.
        weights: path or URL; ``None``: torchvision's default weights, downloaded once.
        sha256: digest of ``weights``, or at least its first 8 digits.
        iterations: number of updates of the flow.

    Raises:
        ValueError: for another size, or, on the first request for flow, if the weights do not fit.
        ImportError: if torchvision is not installed.
    """

    def __init__(self, size: str = 'large', *, weights: str | None = None, sha256: str | None = None,
                 iterations: int = 12) -> None:
        if size not in SIZES:
            raise ValueError(f'size of RAFTFlow must be one of {", ".join(SIZES)}, got {size!r}')
        if iterations < 1:
            raise ValueError(f'iterations of RAFTFlow must be at least 1, got {iterations}')
        self.size, self.weights, self.sha256, self.iterations = size, weights, sha256, iterations
        _torchvision()
        self._built: nn.Module | None = None

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _built=None)

    @property
    def signature(self) -> str:
        return f'RAFTFlow(size={self.size}, weights={self._weights_name}, iterations={self.iterations})'

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        if self._built is None:
            self._built = self._build().eval().requires_grad_(False)
        network, (height, width) = self._built.to(frames.device), frames.shape[2:]
        pair = [pad_to_multiple(images.float() / 127.5 - 1, 8, least=MIN_SIDE) for images in (frames, next_frames)]
        return network(*pair, num_flow_updates=self.iterations)[-1][..., :height, :width]

    def _published(self) -> Any:
        """Return torchvision's default weights of this size."""
        return getattr(_torchvision(), f'Raft_{self.size.title()}_Weights').DEFAULT

    @cached_property
    def _weights_name(self) -> str:
        if self.weights is None:
            return self._published().name
        digest = file_digest(local_weights(self.weights, sha256=self.sha256))
        return f'{Path(urlparse(self.weights).path).name} {digest[:16]}'

    def _build(self) -> nn.Module:
        build = getattr(_torchvision(), f'raft_{self.size}')
        if self.weights is None:
            return build(weights=self._published(), progress=False)
        network = build(weights=None)
        try:
            network.load_state_dict(read_weights(self.weights, sha256=self.sha256))
        except RuntimeError as error:
            raise ValueError(f'{self.weights} does not fit raft_{self.size} of torchvision: {error}') from error
        return network


def _torchvision() -> Any:
    try:
        from torchvision.models import optical_flow
    except ImportError as error:
        version = torch.__version__.split('+')[0]
        raise ImportError('RAFTFlow needs torchvision, which is not installed: pip install torchvision, in the release '
                          f"for torch {version}. dict(type='DISFlow') needs nothing more") from error
    return optical_flow
