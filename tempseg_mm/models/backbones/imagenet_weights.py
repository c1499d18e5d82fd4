"""ImageNet initialisation: loads published or own weights as ``init_cfg`` of a backbone, which the Runner applies.

Weights listed in the backbone's ``unused_weights`` are ignored. All other keys must match the backbone exactly.
"""

import textwrap
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model.weight_init import update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from tempseg_mm.runtime.weight_files import local_weights, read_weights


@WEIGHT_INITIALIZERS.register_module()
class ImageNetWeights:
    """Loads weights: ``init_cfg=dict(type='ImageNetWeights', checkpoint='https://.../vgg16_bn-6c64b313.pth')``.

    Paper note: the reference mask is a fourth input channel that weights for RGB know nothing of. It starts from zero,
    so that the network starts from what it sees in the frame alone (paper note P16).

    Args:
        checkpoint: path or URL, see :func:`~tempseg_mm.runtime.weight_files.read_weights`.
        sha256: SHA-256 digest of the file, or its first 8 or more digits. ``None``: the digits in the name of a URL.
        prefix: use only the keys that start with this, and remove it, e.g. ``'backbone.'`` for a checkpoint of
            ``configs/pretrain``.
    """

    def __init__(self, checkpoint: str, *, sha256: str | None = None, prefix: str = '') -> None:
        self.checkpoint, self.sha256, self.prefix = checkpoint, sha256, prefix

    def __call__(self, module: nn.Module) -> None:
        """Load the weights into a backbone.

        Raises:
            ValueError: naming the keys that are missing, unknown or of another shape; and as ``read_weights``.
        """
        weights = self._taken(read_weights(str(self.local())), module)
        add_reference_channel(weights, module)
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f'{self.checkpoint} does not fit. {textwrap.shorten(str(error), 1000, placeholder=" ...")} Published '
                'weights fit one backbone at width=1 (model.generator.width). Your own weights fit the backbone and '
                'the width that they were trained with.') from error
        print_log(f'{type(module).__name__}: {len(weights)} tensors from {self.checkpoint}', logger='current')
        if hasattr(module, '_params_init_info'):  # only while the Runner initialises: written to its log
            update_init_info(module, f'{type(self).__name__}: {self.checkpoint}')

    def local(self) -> Path:
        """Return the local path of the weights, after a download if needed.

        Raises:
            OSError, ValueError: as :func:`~tempseg_mm.runtime.weight_files.local_weights`.
        """
        try:
            return local_weights(self.checkpoint, sha256=self.sha256)
        except OSError as error:
            raise type(error)(f'{error} (The path or URL comes from the environment variable TEMPSEG_IMAGENET_WEIGHTS '
                              f'or from `checkpoint` of {type(self).__name__}.)') from error

    def _taken(self, weights: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
        taken = {key.removeprefix(self.prefix): value for key, value in weights.items() if key.startswith(self.prefix)}
        if not taken:
            raise ValueError(f'{self.checkpoint} has no key that starts with {self.prefix!r}; its first keys are: '
                             f'{", ".join(list(weights)[:5])}')
        unused = getattr(module, 'unused_weights', ())
        return {key: value for key, value in taken.items() if not key.startswith(unused)}


def add_reference_channel(weights: dict[str, Tensor], module: nn.Module) -> None:
    """Append a channel of zeros to the first layer, if ``module`` reads a reference mask and ``weights`` know only RGB.

    Args:
        weights: state dict for ``module``; changed in place.
        module: its first parameter is the weight of the layer that reads the input, (C, 3 or 4, k, k).
    """
    name, first = next(module.named_parameters())
    known = weights.get(name)
    if known is not None and known.dim() == 4 and (known.shape[1], first.shape[1]) == (3, 4):
        weights[name] = torch.cat([known, torch.zeros_like(known[:, :1])], dim=1)
