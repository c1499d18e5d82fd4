"""ImageNet initialisation: published or own weights as ``init_cfg`` of a backbone. The Runner applies it in training.

What a backbone's ``unused_weights`` says is left aside; everything else must fit, key by key.
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
    """``init_cfg=dict(type='ImageNetWeights', checkpoint='https://.../vgg16_bn-6c64b313.pth')``.

    Paper note: the reference mask is a fourth input channel that weights for RGB know nothing of. It starts from zero,
    so that the network starts from what it sees in the frame alone (paper note P16).

    Args:
        checkpoint: path or URL, see :func:`~tempseg_mm.runtime.weight_files.read_weights`.
        sha256: its digest or the first 8 digits of it or more; ``None``: what a URL's name says.
        prefix: take the keys that start with this and cut it off, e.g. ``'backbone.'`` for a checkpoint of
            ``configs/pretrain``; all others are left aside.
    """

    def __init__(self, checkpoint: str, *, sha256: str | None = None, prefix: str = '') -> None:
        self.checkpoint, self.sha256, self.prefix = checkpoint, sha256, prefix

    def __call__(self, module: nn.Module) -> None:
        """Load them into a backbone.

        Raises:
            ValueError: naming the keys, if any is missing, unknown or of another shape; otherwise as ``read_weights``.
        """
        weights = self._taken(read_weights(str(self.local())), module)
        add_reference_channel(weights, module)
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f'{self.checkpoint} does not fit. {textwrap.shorten(str(error), 1000, placeholder=" ...")} Published '
                'weights are for width=1 (model.generator.width) and one backbone; own ones for the width and the '
                'backbone that they were trained with.') from error
        print_log(f'{type(module).__name__}: {len(weights)} tensors from {self.checkpoint}', logger='current')
        if hasattr(module, '_params_init_info'):  # only while the Runner initialises; goes to its log
            update_init_info(module, f'{type(self).__name__}: {self.checkpoint}')

    def local(self) -> Path:
        """Where they lie, downloaded if need be.

        Raises:
            OSError, ValueError: as :func:`~tempseg_mm.runtime.weight_files.local_weights`.
        """
        try:
            return local_weights(self.checkpoint, sha256=self.sha256)
        except OSError as error:
            raise type(error)(f'{error} (TEMPSEG_IMAGENET_WEIGHTS in the environment, or `checkpoint` of '
                              f'{type(self).__name__}, names it)') from error

    def _taken(self, weights: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
        taken = {key.removeprefix(self.prefix): value for key, value in weights.items() if key.startswith(self.prefix)}
        if not taken:
            raise ValueError(f'{self.checkpoint} has no key that starts with {self.prefix!r}; its first ones are: '
                             f'{", ".join(list(weights)[:5])}')
        unused = getattr(module, 'unused_weights', ())
        return {key: value for key, value in taken.items() if not key.startswith(unused)}


def add_reference_channel(weights: dict[str, Tensor], module: nn.Module) -> None:
    """Where ``module`` reads RGB and a reference mask but ``weights`` only RGB, append zeros, in place.

    Args:
        weights: state dict for ``module``.
        module: its first parameter is the weight of the layer that reads the input, (C, 3 or 4, k, k).
    """
    name, first = next(module.named_parameters())
    known = weights.get(name)
    if known is not None and known.dim() == 4 and (known.shape[1], first.shape[1]) == (3, 4):
        weights[name] = torch.cat([known, torch.zeros_like(known[:, :1])], dim=1)
