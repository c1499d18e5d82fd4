import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.flow.flownet2 import FlowNet2


class Pooled(nn.Module):
    """Stands for a network: mixes its input channels by fixed numbers, at ``1/scale`` of the size; keeps its input."""

    def __init__(self, channels, gain, scale=4):
        super().__init__()
        self.scale, self.seen = scale, None
        self.mix = gain * torch.randn(2, channels, generator=torch.Generator().manual_seed(channels))

    def forward(self, inputs):
        self.seen = inputs[0].permute(1, 2, 0).numpy()
        return torch.einsum('oc,bchw->bohw', self.mix, nn.functional.avg_pool2d(inputs, self.scale))


@pytest.fixture
def network():
    """FlowNet2 whose five networks are small stand-ins, with flow of a few pixels between them."""
    with torch.device('meta'):
        net = FlowNet2()
    net.flownetc, net.flownets_1, net.flownets_2 = Pooled(6, 0.2), Pooled(12, 0.1), Pooled(12, 0.05)
    net.flownets_d, net.flownetfusion = Pooled(6, 60.0), Pooled(11, 1.0, scale=1)
    return net


def smooth_pairs(height, width):
    rng = np.random.default_rng(0)
    frames = [cv2.resize(rng.uniform(0, 255, (6, 8, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
              for _ in range(2)]
    return torch.from_numpy(np.stack(frames).clip(0, 255)).permute(3, 0, 1, 2)[None].float()  # [1, 3, 2, H, W]


def resampled(image, flow):
    """The published resampling, pixel by pixel: the four corners are clamped one by one, the weights are not."""
    height, width = image.shape[:2]
    out = np.zeros_like(image)
    for y in range(height):
        for x in range(width):
            to_x, to_y = x + flow[y, x, 0], y + flow[y, x, 1]
            left, top = int(np.floor(to_x)), int(np.floor(to_y))
            for cx, share_x in ((left, 1 - (to_x - left)), (left + 1, to_x - left)):
                for cy, share_y in ((top, 1 - (to_y - top)), (top + 1, to_y - top)):
                    out[y, x] += share_x * share_y * image[np.clip(cy, 0, height - 1), np.clip(cx, 0, width - 1)]
    return out


def test_joined_as_published(network):
    pairs = smooth_pairs(64, 64)
    with torch.no_grad():
        flow = network(pairs)
    both = pairs[0].numpy()  # [3, 2, H, W]
    both = (both - both.mean(axis=(1, 2, 3), keepdims=True)) / 255
    frame, after = both[:, 0].transpose(1, 2, 0), both[:, 1].transpose(1, 2, 0)
    seen = network.flownetc.seen
    np.testing.assert_allclose(seen, np.concatenate([frame, after], axis=2), atol=1e-6)

    def answer(net, factor, interpolation):
        coarse = np.einsum('oc,hwc->hwo', net.mix.numpy(), net.seen.reshape(16, 4, 16, 4, -1).mean((1, 3))) * factor
        return cv2.resize(coarse.astype(np.float32), (64, 64), interpolation=interpolation)

    def length(vectors):
        return np.sqrt((vectors ** 2).sum(2, keepdims=True))

    found = answer(network.flownetc, 20, cv2.INTER_LINEAR)
    assert 1 < np.abs(found).max() < 30  # or nothing would be tested
    for net, interpolation in ((network.flownets_1, cv2.INTER_LINEAR), (network.flownets_2, cv2.INTER_NEAREST)):
        warped = resampled(after, found)
        wanted = np.concatenate([frame, after, warped, found / 20, length(frame - warped)], axis=2)
        np.testing.assert_allclose(net.seen, wanted, atol=2e-4)
        found = answer(net, 20, interpolation)
    small = answer(network.flownets_d, 1 / 20, cv2.INTER_NEAREST)
    assert 0.1 < np.abs(small).max() < 30
    np.testing.assert_allclose(network.flownetfusion.seen, np.concatenate([
        frame, small, found, length(small), length(found), length(frame - resampled(after, small)),
        length(frame - resampled(after, found))], axis=2), atol=2e-4)
    fusion = network.flownetfusion
    np.testing.assert_allclose(flow[0].permute(1, 2, 0), fusion.seen @ fusion.mix.numpy().T, atol=1e-4)


@pytest.mark.parametrize('size', [(64, 128), (50, 70), (65, 64), (3, 5), (1, 1)])
def test_any_size(network, size):
    with torch.no_grad():
        flow = network(smooth_pairs(*size))
    assert flow.shape == (1, 2, *size) and torch.isfinite(flow).all()
    height, width = (-(-side // 64) * 64 for side in size)
    assert network.flownetc.seen.shape == (height, width, 6)
    # what is cropped away repeats the last row and column
    np.testing.assert_array_equal(network.flownetc.seen[size[0]:], network.flownetc.seen[size[0] - 1:size[0]].repeat(
        height - size[0], axis=0))


def test_each_pair_has_its_own_mean(network):
    pairs = torch.cat([smooth_pairs(64, 64), smooth_pairs(64, 64).flip(2) / 2])
    with torch.no_grad():
        together, second = network(pairs), network(pairs[1:])
    torch.testing.assert_close(together[1:], second)


def test_bytes_are_numbers_too(network):
    pairs = smooth_pairs(64, 64).byte()
    with torch.no_grad():
        torch.testing.assert_close(network(pairs), network(pairs.float()))


@pytest.mark.parametrize('shape', [(1, 2, 3, 64, 64), (3, 2, 64, 64), (1, 6, 64, 64)])
def test_misshapen_pairs(network, shape):
    with pytest.raises(ValueError, match=r'pairs of frames as \(B, 3, 2, H, W\), got'):
        network(torch.zeros(shape))


def test_names_and_size_of_the_published_weights():
    with torch.device('meta'):
        weights = FlowNet2().state_dict()
    assert len(weights) == 220 and sum(value.numel() for value in weights.values()) == 162_518_834
    shapes = {key: tuple(value.shape) for key, value in weights.items()}
    assert shapes['flownetc.conv3_1.0.weight'] == (256, 473, 3, 3)
    assert shapes['flownets_1.deconv2.0.weight'] == (386, 64, 4, 4)
    assert shapes['flownets_d.inter_conv5.0.bias'] == (512,)
    assert shapes['flownetfusion.upsampled_flow1_to_0.bias'] == (2,)
    assert 'flownets_2.upsampled_flow6_to_5.bias' not in shapes
    assert 'flownetc.upsampled_flow6_to_5.bias' in shapes
