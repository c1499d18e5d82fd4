"""Building blocks of the FlowNet 2.0 networks, named as in the published weights, and the correlation of FlowNetC."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOW_SCALE = 20.0  # pixels per unit of flow inside the networks
SLOPE = 0.1  # slope of the leaky ReLU


def conv(in_channels: int, out_channels: int, kernel_size: int = 3, *, stride: int = 1) -> nn.Sequential:
    """Build a convolution that keeps the size (except for the stride), with a leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=(kernel_size - 1) // 2),
        nn.LeakyReLU(SLOPE, inplace=True))


def deconv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Build a transposed convolution that doubles the size, with a leaky ReLU."""
    return nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1),
                         nn.LeakyReLU(SLOPE, inplace=True))


class FlowDecoder(nn.Module):
    """Decoder of every FlowNet 2.0 network; a subclass adds the layers before it. Level l has 1/2^l of the full size.

    Each level predicts flow from the carried maps. Both go to the next finer level and join its features there::

        carried_l = cat(features_l, deconv_l(carried_{l+1}), upsampled_flow_{l+1}_to_l(flow_{l+1}))
        flow_l    = predict_flow_l(carried_l)            # from inter_conv_l(carried_l) if such layers exist

    Args:
        features: level -> channels of its features, for consecutive levels.
        deconvs: level -> channels that are carried to it, for all levels except the coarsest. The inter_conv layers
            have the same number of channels.
        inter_convs: True adds the inter_conv layers.
        upsampling_bias: True gives a bias to the layers that upsample flow to the next level.
    """

    def __init__(self, features: Mapping[int, int], deconvs: Mapping[int, int], *, inter_convs: bool = False,
                 upsampling_bias: bool = True) -> None:
        super().__init__()
        self.coarsest, self.finest, self.inter_convs = max(features), min(features), inter_convs
        carried = features[self.coarsest]
        self.add_module(f'predict_flow{self.coarsest}', nn.Conv2d(carried, 2, 3, padding=1))
        for level in range(self.coarsest - 1, self.finest - 1, -1):
            self.add_module(f'deconv{level}', deconv(carried, deconvs[level]))
            self.add_module(f'upsampled_flow{level + 1}_to_{level}', nn.ConvTranspose2d(
                2, 2, 4, stride=2, padding=1, bias=upsampling_bias))
            carried = seen = features[level] + deconvs[level] + 2
            if inter_convs:
                seen = deconvs[level]
                self.add_module(f'inter_conv{level}', nn.Sequential(nn.Conv2d(carried, seen, 3, padding=1)))
            self.add_module(f'predict_flow{level}', nn.Conv2d(seen, 2, 3, padding=1))

    def decode(self, features: Mapping[int, Tensor]) -> Tensor:
        """Return the flow at the finest level.

        Args:
            features: level -> (N, C, H / 2^level, W / 2^level).

        Returns:
            (N, 2, H / 2^finest, W / 2^finest), in the units of the network.
        """
        carried = features[self.coarsest]
        flow = self.get_submodule(f'predict_flow{self.coarsest}')(carried)
        for level in range(self.coarsest - 1, self.finest - 1, -1):
            brought = self.get_submodule(f'upsampled_flow{level + 1}_to_{level}')(flow)
            carried = torch.cat([features[level], self.get_submodule(f'deconv{level}')(carried), brought], dim=1)
            seen = self.get_submodule(f'inter_conv{level}')(carried) if self.inter_convs else carried
            flow = self.get_submodule(f'predict_flow{level}')(seen)
        return flow


def deep_features(network: nn.Module, level3: Tensor) -> dict[int, Tensor]:
    """Compute the features of levels 3 to 6 from level 3 with the layers ``conv4`` to ``conv6_1`` of a network."""
    features = {3: level3}
    for level in (4, 5, 6):
        coarser = network.get_submodule(f'conv{level}')(features[level - 1])
        features[level] = network.get_submodule(f'conv{level}_1')(coarser)
    return features


def add_deep_layers(network: nn.Module) -> None:
    """Add the layers that :func:`deep_features` uses to a network."""
    for level, (in_channels, out_channels) in {4: (256, 512), 5: (512, 512), 6: (512, 1024)}.items():
        network.add_module(f'conv{level}', conv(in_channels, out_channels, stride=2))
        network.add_module(f'conv{level}_1', conv(out_channels, out_channels))


def correlation(first: Tensor, second: Tensor, *, radius: int = 10, stride: int = 2) -> Tensor:
    """Compute the mean over channels of the products of ``first`` with ``second`` shifted by (stride·dx, stride·dy).

    ``out[n, (dy + r)(2r + 1) + dx + r, y, x] = 1/C Σ_c first[n, c, y, x] · second[n, c, y + stride·dy, x + stride·dx]``
    for dx, dy = -r..r, r = ``radius``; ``second`` is zero outside its border. The defaults are those of FlowNetC.

    Pixels whose distance is a multiple of the stride form one *phase* of the grid, so each phase is a correlation of
    stride 1. A row of one map against a row of the other is a matrix product, and its diagonals are the answers. This
    computes more products than needed, but with the fastest routine available.

    Args:
        first: (N, C, H, W) float. Gradients reach both maps.
        second: the same.
        radius: r, number of displacements to each side.
        stride: pixels from one displacement to the next.

    Returns:
        (N, (2r + 1)², H, W).

    Raises:
        ValueError: if shapes differ or are not (N, C, H, W).
    """
    _require_alike(first, second)
    n, channels, height, width = first.shape
    reach = 2 * radius + 1
    a, b = _phases(first, stride), _phases(second, stride)  # [h, N·s², C, w] each
    h, w = a.shape[0], a.shape[3]
    b = F.pad(b, (radius, radius, 0, 0, 0, 0, radius, radius))  # [h + 2r, N·s², C, w + 2r]
    a = a.flatten(0, 1).transpose(1, 2)  # [h·N·s², w, C]
    diagonals = torch.arange(w, device=first.device)[:, None] + torch.arange(reach, device=first.device)
    diagonals = diagonals.expand(len(a), -1, -1)  # [h·N·s², w, 2r + 1]
    rows = [(a @ b[dy:dy + h].flatten(0, 1)).gather(2, diagonals) for dy in range(reach)]
    out = torch.stack(rows).view(reach, h, n, stride, stride, w, reach)  # [dy, h, N, s, s, w, dx]
    out = out.permute(2, 0, 6, 1, 3, 5, 4).reshape(n, reach ** 2, h * stride, w * stride)
    return out[..., :height, :width] / channels


def correlation_by_shifts(first: Tensor, second: Tensor, *, radius: int = 10, stride: int = 2) -> Tensor:
    """Compute :func:`correlation` literally, one product of whole maps per displacement. Slow; for tests."""
    _require_alike(first, second)
    height, width = first.shape[2:]
    steps = range(0, 2 * radius * stride + 1, stride)
    padded = F.pad(second, (radius * stride,) * 4)
    moved = (padded[..., dy:dy + height, dx:dx + width] for dy in steps for dx in steps)
    return torch.stack([(first * other).mean(1) for other in moved], dim=1)


def _phases(maps: Tensor, stride: int) -> Tensor:
    """Rearrange (N, C, H, W) to (h, N·s², C, w), so that pixels at distance s become neighbours; pad with zeros."""
    n, channels, height, width = maps.shape
    maps = F.pad(maps, (0, -width % stride, 0, -height % stride))
    maps = maps.unflatten(3, (-1, stride)).unflatten(2, (-1, stride))  # [N, C, h, s, w, s]
    return maps.permute(2, 0, 3, 5, 1, 4).flatten(1, 3)


def _require_alike(first: Tensor, second: Tensor) -> None:
    if first.dim() != 4 or first.shape != second.shape:
        raise ValueError(f'correlation needs two maps of one shape (N, C, H, W), got {tuple(first.shape)} and '
                         f'{tuple(second.shape)}')
