import pytest
import torch
from torch import nn

from tempseg_mm.flow.flownet2.weights import build_with_weights, require_source


class Small(nn.Module):
    prefix = 'small.'

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 1)
        self.conv2 = nn.Conv2d(2, 2, 1)


@pytest.fixture
def saved(tmp_path):
    def save(weights, prefix='', **more):
        path = tmp_path / 'net.pth.tar'
        weights = {prefix + key: value for key, value in weights.items()}
        torch.save(dict(state_dict=weights, **more) if more else weights, path)
        return str(path)
    return save


@pytest.mark.parametrize('prefix', ['', 'small.'])
@pytest.mark.parametrize('more', [{}, dict(arch='FlowNet2', epoch=3, best_EPE=1.5)])
def test_bare_and_published_layout_own_weights_and_those_of_the_whole(saved, prefix, more):
    weights = Small().state_dict()
    path = saved(weights, prefix, **more)
    network = build_with_weights(Small, path)
    for key, value in network.state_dict().items():
        assert torch.equal(value, weights[key])
    assert not network.training and not any(parameter.requires_grad for parameter in network.parameters())


def test_those_of_the_whole_leave_other_networks_aside(saved):
    weights = {f'small.{key}': value for key, value in Small().state_dict().items()}
    assert build_with_weights(Small, saved({**weights, 'other.conv1.weight': torch.ones(1)})).conv1.weight.shape[0] == 2


def test_half_precision_is_widened(saved):
    weights = {key: value.half() for key, value in Small().state_dict().items()}
    assert build_with_weights(Small, saved(weights)).conv1.weight.dtype == torch.float32


def test_keys_that_do_not_fit_are_named(saved):
    weights = Small().state_dict()
    del weights['conv1.bias']
    weights['conv3.bias'] = torch.zeros(2)
    weights['conv2.bias'] = torch.zeros(3)
    with pytest.raises(ValueError, match=r'net.pth.tar does not fit Small: keys 1 missing \(conv1.bias\), 1 unknown '
                                         r'\(conv3.bias\), 1 misshapen \(conv2.bias\)'):
        build_with_weights(Small, saved(weights))


@pytest.mark.parametrize('weights', [None, ''])
def test_no_weights(weights):
    with pytest.raises(ValueError, match='SomeFlow needs weights.*flownet2-pytorch.*research purposes only.*DISFlow'):
        require_source(weights, 'SomeFlow')
    with pytest.raises(FileNotFoundError, match='SomeFlow: no weights at a.pth.*research purposes only'):
        require_source('a.pth', 'SomeFlow')
    assert require_source('a.pth', 'SomeFlow', must_exist=False) == 'a.pth'
    assert require_source('https://x.y/a.pth', 'SomeFlow') == 'https://x.y/a.pth'


def test_missing_file_says_where_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match='no weights at .*gone.pth.*NVIDIA/flownet2-pytorch'):
        build_with_weights(Small, str(tmp_path / 'gone.pth'))
