from pathlib import Path

import pytest
import torch
from devices import weights_of
from mmengine.hooks import Hook

from tempseg_mm.models.backbones.imagenet_weights import ImageNetWeights, add_reference_channel
from tempseg_mm.models.backbones.mobilenet_v2 import MobileNetV2Backbone
from tempseg_mm.models.backbones.tempseg import TempSegBackbone
from tempseg_mm.models.backbones.vgg import VGGBackbone
from tempseg_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]
WIDTH = 0.0625


@pytest.fixture
def published(tmp_path):
    """Writes a state dict with the keys of torchvision's: each tensor of a single value, its number in the list."""
    def write(backbone, **changes):
        shapes = {key: value.shape for key, value in backbone(3).state_dict().items()}
        shapes.update({'classifier.0.weight': (4096, 25088), 'classifier.6.bias': (1000,)})
        if backbone is MobileNetV2Backbone:
            shapes['features.18.0.weight'] = (1280, 320, 1, 1)
        shapes.update(changes)
        weights = {key: torch.tensor(float(number)).expand(shape)
                   for number, (key, shape) in enumerate(shapes.items(), start=1) if shape is not None}
        torch.save(weights, tmp_path / 'published.pth')
        return str(tmp_path / 'published.pth')
    return write


@pytest.mark.parametrize('backbone', [VGGBackbone, MobileNetV2Backbone])
@pytest.mark.parametrize('in_channels', [3, 4])
def test_every_tensor_arrives(published, backbone, in_channels):
    net = backbone(in_channels)
    ImageNetWeights(published(backbone))(net)
    for number, (key, value) in enumerate(net.state_dict().items(), start=1):
        value = value[:, :3] if number == 1 else value  # the reference mask has its own test
        assert (value == number).all(), key


def test_files_from_before_batches_were_counted_fit(published):
    gone = {key: None for key in VGGBackbone().state_dict() if key.endswith('num_batches_tracked')}
    assert len(gone) == 13  # as in torchvision's vgg16_bn-6c64b313.pth, which is of 2017
    ImageNetWeights(published(VGGBackbone, **gone))(VGGBackbone())


@pytest.mark.parametrize('changes, message', [
    ({'features.3.weight': None}, r'published.pth does not fit.*Missing key\(s\).*"features.3.weight"'),
    ({'features.99.bias': (2,)}, r'does not fit.*Unexpected key\(s\).*"features.99.bias"'),
    ({'extra': (2,)}, r'does not fit.*Unexpected key\(s\).*"extra"'),
    ({'features.3.weight': (64, 64, 5, 5)}, r'does not fit.*size mismatch for features.3.weight.*5, 5'),
    ({'features.0.weight': (64, 1, 3, 3)}, r'does not fit.*size mismatch for features.0.weight'),
])
def test_a_key_that_does_not_fit_is_named(published, changes, message):
    with pytest.raises(ValueError, match=message):
        ImageNetWeights(published(VGGBackbone, **changes))(VGGBackbone(4, bn=True))


@pytest.mark.parametrize('net', [dict(type='VGGBackbone', width=0.5), dict(type='VGGBackbone', bn=False),
                                 dict(type='TempSegBackbone')])
def test_another_width_or_network_is_refused(published, net):
    with pytest.raises(ValueError, match=r'does not fit.*Published weights fit one backbone at width=1 \(model.gen'):
        ImageNetWeights(published(VGGBackbone))(MODELS.build(net))


def generator(backbone, decoder, reference_mask):
    return MODELS.build(dict(
        type='EncoderDecoderGenerator', backbone=backbone, decoder=dict(type=decoder), width=WIDTH,
        reference_mask=reference_mask)).eval()


@pytest.mark.parametrize('kind, decoder', [('TempSegBackbone', 'UnpoolDecoder'), ('VGGBackbone', 'UnpoolDecoder'),
                                           ('MobileNetV2Backbone', 'UpsampleDecoder')])
def test_at_the_start_the_reference_mask_changes_nothing(tmp_path, kind, decoder):
    rgb = generator(dict(type=kind), decoder, 'none')
    torch.save(rgb.backbone.state_dict(), tmp_path / 'own.pth')
    both = generator(dict(type=kind, init_cfg=dict(type='ImageNetWeights', checkpoint=str(tmp_path / 'own.pth'))),
                     decoder, 'input')
    both.decoder.load_state_dict(rgb.decoder.state_dict())
    both.backbone.init_weights()
    frames, masks = torch.randn(2, 3, 32, 48), torch.rand(2, 1, 32, 48)
    torch.testing.assert_close(both(frames, masks), rgb(frames, masks))
    assert rgb(frames, masks).std() > 0

    both(frames, masks).square().sum().backward()  # and yet it learns
    first = next(both.backbone.parameters())
    assert (first[:, 3] == 0).all() and first.grad[:, 3].abs().max() > 0


def test_reference_channel_is_added_to_the_first_layer_alone():
    net = torch.nn.Sequential(torch.nn.Conv2d(4, 3, 1), torch.nn.Conv2d(3, 4, 1))
    weights = {'0.weight': torch.ones(3, 3, 1, 1), '1.weight': torch.ones(4, 3, 1, 1)}
    add_reference_channel(weights, net)
    assert weights['0.weight'].sum((0, 2, 3)).tolist() == [3, 3, 3, 0]
    assert weights['1.weight'].shape == (4, 3, 1, 1)
    add_reference_channel(weights, net)  # four channels already
    assert weights['0.weight'].shape == (3, 4, 1, 1)


def test_prefix_takes_a_part_of_a_checkpoint(tmp_path):
    net, other = TempSegBackbone(width=WIDTH), TempSegBackbone(width=WIDTH)
    weights = {f'backbone.{key}': value for key, value in net.state_dict().items()}
    torch.save(dict(state_dict={**weights, 'head.weight': torch.ones(2, 2)}), tmp_path / 'epoch_1.pth')
    ImageNetWeights(str(tmp_path / 'epoch_1.pth'), prefix='backbone.')(other)
    for key, value in net.state_dict().items():
        torch.testing.assert_close(other.state_dict()[key], value, rtol=0, atol=0)
    with pytest.raises(ValueError, match="no key that starts with 'generator.'; its first keys are: backbone.layers.0"):
        ImageNetWeights(str(tmp_path / 'epoch_1.pth'), prefix='generator.')(other)


class Begun(Exception):
    """Everything before the first iteration is done."""


class StopHook(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        raise Begun


@pytest.mark.parametrize('kind, name', [(MobileNetV2Backbone, 'tempseg_synthetic_light'),
                                        (TempSegBackbone, 'tempseg_synthetic')], ids=['light', 'paper'])
def test_training_starts_from_the_weights(make_runner, tmp_path, kind, name):
    backbone = kind(3, width=WIDTH)
    torch.save(backbone.state_dict(), tmp_path / 'own.pth')
    runner = make_runner(path=ROOT / f'configs/{name}.py', **{
        'model.generator.width': WIDTH,
        'model.generator.backbone.init_cfg': dict(type='ImageNetWeights', checkpoint=str(tmp_path / 'own.pth'))})
    runner.register_hook(StopHook())
    before = next(iter(weights_of(runner.model.generator.backbone).values()))
    with pytest.raises(Begun):
        runner.train()
    found = weights_of(runner.model.generator.backbone)
    expected = backbone.state_dict()
    first = next(iter(expected))
    expected[first] = torch.cat([expected[first], torch.zeros_like(expected[first][:, :1])], dim=1)
    assert not torch.equal(before, expected[first])
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)
