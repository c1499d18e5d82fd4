from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from devices import weights_of
from mmengine.runner import Runner
from torch import nn

from tempseg_mm.apis.config import load_config
from tempseg_mm.models.classifier import ImageClassifier
from tempseg_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 0.0625


def classifier(num_classes=3, kind='TempSegBackbone', **changes):
    return ImageClassifier(dict(type=kind), num_classes, width=WIDTH, **changes)


@pytest.mark.parametrize('kind', ['TempSegBackbone', 'VGGBackbone', 'MobileNetV2Backbone'])
def test_logits_of_any_backbone(kind):
    assert classifier(kind=kind).eval()(torch.randn(2, 3, 32, 64)).shape == (2, 3)


def test_logits_are_linear_in_the_mean_of_the_deepest_map():
    net = classifier().eval()
    images = torch.randn(2, 3, 32, 48)
    bottom = net.backbone(images).bottom  # (2, C, 2, 3)
    expected = sum(bottom[:, :, y, x] for y in range(2) for x in range(3)) / 6 @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(images), expected)


def test_loss_and_accuracy_by_hand():
    net = classifier().eval()
    nn.init.zeros_(net.head.weight)
    with torch.no_grad():
        net.head.bias.copy_(torch.tensor([0.5, 0.25, 0.25]).log())
    losses = net(torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]), mode='loss')
    torch.testing.assert_close(losses['loss'], torch.tensor((2 * np.log(2) + 2 * np.log(4)) / 4, dtype=torch.float32))
    assert losses['accuracy'] == 0.5
    predictions = net(torch.randn(1, 3, 32, 32), torch.tensor([2]), mode='predict')
    torch.testing.assert_close(predictions[0]['scores'], torch.tensor([0.5, 0.25, 0.25]))
    assert predictions[0]['label'] == 2


def test_images_are_normalised_as_frames_are():
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    data = classifier().data_preprocessor(dict(inputs=images))
    torch.testing.assert_close(data['inputs'], MODELS.build(dict(type='VOSDataPreprocessor')).normalize(images))


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be one of .*, got 'test'"):
        classifier()(torch.zeros(1, 3, 32, 32), mode='test')


@pytest.fixture
def image_root(tmp_path):
    """Reddish and bluish images, in folders as those of ImageNet."""
    for split, number in (('train', 3), ('val', 1)):
        for name, channel in (('n01', 2), ('n02', 0)):
            folder = tmp_path / 'images' / split / name
            folder.mkdir(parents=True)
            for i in range(number):
                image = np.random.randint(0, 60, (40, 48, 3)).astype(np.uint8)
                image[..., channel] += 150
                cv2.imwrite(str(folder / f'{i}.JPEG'), image)
    return tmp_path / 'images'


@pytest.fixture
def pretraining(image_root, tmp_path, monkeypatch):
    """``configs/pretrain/tempseg_imagenet.py``, made small: one epoch of three iterations."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    monkeypatch.setenv('TEMPSEG_IMAGENET_ROOT', str(image_root))
    cfg = load_config(str(ROOT / 'configs/pretrain/tempseg_imagenet.py'), work_dir=str(tmp_path / 'work'))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False, batch_size=2)
        loader.dataset.num_classes = 2
    cfg.train_dataloader.dataset.pipeline[0].size = (32, 32)
    cfg.val_dataloader.dataset.size = cfg.val_dataloader.dataset.pipeline[0].crop_size = 32
    cfg.model.update(num_classes=2, width=WIDTH)
    cfg.train_cfg.max_epochs = 1
    cfg.param_scheduler = [dict(type='ConstantLR', factor=1.0)]
    cfg.merge_from_dict({'visualizer.vis_backends': [dict(type='LocalVisBackend')], 'log_level': 'WARNING'})
    return cfg


def test_pretraining_then_a_generator_that_starts_from_it(pretraining, tmp_path):
    runner = Runner.from_cfg(pretraining)
    start = weights_of(runner.model)
    trained = runner.train()
    assert runner.iter == 3
    assert not torch.equal(weights_of(trained)['head.weight'], start['head.weight'])
    scores = runner.message_hub.log_scalars
    assert 0 <= scores['val/accuracy/top1'].current() <= scores['val/accuracy/top5'].current() == 1

    init_cfg = dict(type='ImageNetWeights', checkpoint=str(tmp_path / 'work/epoch_1.pth'), prefix='backbone.')
    generator = MODELS.build(dict(
        type='EncoderDecoderGenerator', backbone=dict(type='TempSegBackbone', init_cfg=init_cfg),
        decoder=dict(type='UnpoolDecoder'), width=WIDTH))
    generator.init_weights()
    for key, value in weights_of(trained.backbone).items():
        found = generator.backbone.state_dict()[key]
        if key == 'layers.0.conv.weight':
            assert (found[:, 3] == 0).all()
            found = found[:, :3]
        torch.testing.assert_close(found, value, rtol=0, atol=0)


def test_pretraining_says_when_classes_are_missing(pretraining):
    pretraining.train_dataloader.dataset.num_classes = 1000
    with pytest.raises(ValueError, match='has 2 folders, one for each class, but num_classes is 1000'):
        Runner.from_cfg(pretraining).train()
