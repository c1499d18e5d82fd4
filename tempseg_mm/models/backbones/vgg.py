"""VGG-16 as the contracting path: a published network with the stage widths of layers 1 to 5 of Table A.1."""

from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule, kaiming_init
from torch import Tensor, nn

from tempseg_mm.registry import MODELS

from .features import Features

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # maps, convolutions; Table 1, column D


@MODELS.register_module()
class VGGBackbone(BaseModule):
    """The 13 convolutions of VGG-16 (Simonyan and Zisserman, 2015).

    A 2x2 max-pooling *with switches* follows each of the first four stages. The fifth pooling and the fully connected
    layers are left out.

    Parameters have the names of torchvision's ``vgg16`` and ``vgg16_bn``, so their weights fit at ``width`` 1
    (see :class:`~tempseg_mm.models.backbones.imagenet_weights.ImageNetWeights`).

    Paper note: "pre-trained on ImageNet", yet no weights of Table A.1 exist. This backbone has its stage widths, 64,
    128, 256, 512, 512, and weights (paper note P1).

    Args:
        in_channels: 3 for RGB, 4 with a reference mask.
        width: multiplies every number of maps.
        bn: add batch normalisation after each convolution, as in ``vgg16_bn``; otherwise as in ``vgg16``.
        dropout: dropout rate after the last layer.
    """

    unused_weights = ('classifier.',)

    def __init__(self, in_channels: int = 3, *, width: float = 1.0, bn: bool = True, dropout: float = 0.5,
                 init_cfg=None) -> None:
        super().__init__(init_cfg)
        scaled = [max(1, round(c * width)) for c, _ in STAGES]
        layers = []
        for c_in, c_out, (_, depth) in zip([in_channels, *scaled], scaled, STAGES):
            layers += make_vgg_layer(c_in, c_out, depth, with_bn=bn)
            layers[-1].return_indices = True
        self.features = nn.Sequential(*layers[:-1])
        self.dropout = nn.Dropout(dropout)
        self.skip_channels = tuple(scaled[:-1])
        self.bottom_channels = scaled[-1]
        self.stride = 2**(len(scaled) - 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the convolutions after He et al. (2015); otherwise the signal fades within 13 layers."""
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                kaiming_init(module)

    def forward(self, x: Tensor) -> Features:
        """Compute the features of (B, in_channels, H, W); H and W are multiples of ``stride``."""
        skips, switches = [], []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                skips.append(x)
                x, switch = layer(x)
                switches.append(switch)
            else:
                x = layer(x)
        return Features(self.dropout(x), tuple(skips), tuple(switches))
