import os
import pickle

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.flow import FlowNet2Flow, FlowNetCFlow, FlowNetSDFlow, FlowNetSFlow
from tempseg_mm.flow.flownet2.flownet2 import enlarged, normalized
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.weight_files import file_digest


class Mean(nn.Module):
    """Stands for FlowNet2: flow is the mean of the first frame and that of the second."""
    prefix = ''

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, pairs):
        return self.gain * pairs.mean(dim=1)


class Coarse(nn.Module):
    """Stands for a network that answers at a quarter of the size, 0.5 pixels a unit."""
    prefix, divisor, unit = 'coarse.', 64, 0.5

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, frames):
        return self.gain * nn.functional.avg_pool2d(frames[:, 2:4], 4)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save({'state_dict': {'gain': torch.tensor([3.0])}}, path)
    return str(path)


@pytest.fixture
def provider(weights, monkeypatch):
    monkeypatch.setattr(FlowNet2Flow, 'network', Mean)
    return FlowNet2Flow(weights)


@pytest.fixture
def frames():
    return torch.randint(0, 256, (4, 3, 20, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('batch_size', [1, 2, 5])
def test_pairs_go_through_in_order(provider, frames, batch_size):
    provider.batch_size = batch_size
    flow = provider(frames[:-1], frames[1:])
    torch.testing.assert_close(flow, 3 * torch.stack([frames[:-1].float().mean(1), frames[1:].float().mean(1)], dim=1))
    assert flow.dtype == torch.float32 and not flow.requires_grad


def test_networks_alone_are_scaled_enlarged_and_cropped(weights, monkeypatch, frames):
    monkeypatch.setattr(FlowNetCFlow, 'network', Coarse)
    flow = FlowNetCFlow(weights)(frames[:1], frames[1:2])
    inputs = normalized(torch.stack([frames[:1], frames[1:2]], dim=2).float(), 64)
    assert inputs.shape == (1, 6, 64, 64)
    wanted = enlarged(nn.functional.avg_pool2d(inputs[:, 2:4], 4)) * 3 * 0.5
    torch.testing.assert_close(flow, wanted[..., :20, :30])


@pytest.mark.parametrize('cls, unit', [(FlowNetCFlow, 20), (FlowNetSFlow, 20), (FlowNetSDFlow, 1 / 20)])
def test_units(cls, unit):
    assert cls.network.unit == unit


def test_signature_is_of_the_content(provider, tmp_path, weights):
    digest = file_digest(weights)
    assert provider.signature == f'FlowNet2Flow(weights=weights.pth, sha256={digest[:16]})'
    other = tmp_path / 'other' / 'weights.pth'
    other.parent.mkdir()
    torch.save({'gain': torch.tensor([4.0])}, other)
    assert FlowNet2Flow(str(other)).signature != provider.signature
    # with enough digits no file is needed
    assert FlowNet2Flow('gone/weights.pth', sha256=digest).signature == provider.signature


def test_pickles_without_the_network(provider, frames):
    before = provider(frames[:-1], frames[1:])
    stored = pickle.dumps(provider)
    assert len(stored) < 2000
    torch.testing.assert_close(pickle.loads(stored)(frames[:-1], frames[1:]), before)


@pytest.mark.parametrize('name', ['FlowNet2Flow', 'FlowNetCFlow', 'FlowNetSFlow', 'FlowNetSDFlow'])
def test_no_weights_no_flow(name):
    with pytest.raises(ValueError, match=f'{name} needs weights.*research purposes only'):
        TASK_UTILS.build(dict(type=name))


def test_missing_file_and_wrong_digest(provider, frames, weights):
    with pytest.raises(FileNotFoundError, match='FlowNet2Flow: no weights at gone.pth.*flownet2-pytorch'):
        FlowNet2Flow('gone.pth')
    with pytest.raises(FileNotFoundError, match='no weights at gone.pth.*flownet2-pytorch'):
        FlowNet2Flow('gone.pth', sha256='0' * 64)(frames[:1], frames[1:2])
    with pytest.raises(ValueError, match='has the SHA-256'):
        FlowNet2Flow(weights, sha256='0' * 64)(frames[:1], frames[1:2])


def test_batch_size_must_be_positive(weights):
    with pytest.raises(ValueError, match='batch_size of FlowNet2Flow must be at least 1, got 0'):
        FlowNet2Flow(weights, batch_size=0)


@pytest.mark.skipif('TEMPSEG_FLOWNET2_WEIGHTS' not in os.environ, reason='needs the published weights')
def test_published_weights_find_a_translation():
    noise = np.random.default_rng(0).uniform(0, 255, (160, 224, 3)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    pair = [torch.from_numpy(texture[y:y + 128, x:x + 192].copy()).permute(2, 0, 1)[None]
            for y, x in ((16, 16), (13, 20))]
    flow = FlowNet2Flow(os.environ['TEMPSEG_FLOWNET2_WEIGHTS'])(*pair)
    middle = flow[0, :, 16:-16, 16:-16].flatten(1).median(dim=1).values
    torch.testing.assert_close(middle, torch.tensor([-4.0, 3.0]), atol=0.3, rtol=0)
