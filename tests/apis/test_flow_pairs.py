import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config

from tempseg_mm.apis.flow_pairs import FramePairs, configured_provider, frame_pairs
from tempseg_mm.ops.resize import resize_image


def test_every_pair_once(tiny_config):
    pairs = frame_pairs(tiny_config(), chunk=3)
    assert [(some.sequence.name, some.first, some.for_training) for some in pairs] == [
        (f'{part}_00{n}', first, part == 'train')
        for part in ('train', 'test') for n in range(2) for first in ((0, 1, 2), (3, 4))]
    assert [len(some) for some in pairs[:2]] == [3, 2]
    assert str(pairs[1]) == 'sequence train_000, frames 3 to 5'
    assert len(pickle.dumps(pairs[0])) < 5000


def test_parts_and_stride(tiny_config):
    cfg = tiny_config(**{'train_dataloader.dataset.clip_sampler.stride': 2})
    train, test = (frame_pairs(cfg, (part,)) for part in ('train', 'test'))
    assert [some.first for some in train] == [(0, 1, 2, 3)] * 2 and train[0].stride == 2
    assert [some.first for some in test] == [(0, 1, 2, 3, 4)] * 2 and test[0].stride == 1
    cfg.pop('train_dataloader')
    assert len(frame_pairs(cfg)) == len(test)


def test_frames_of_training_and_of_a_test(sequence):
    for stride, size in ((1, None), (2, (16, 24))):
        pairs = FramePairs(sequence, (0, 1), stride, size, for_training=True)
        frames, following = pairs.load()
        assert frames.dtype == torch.uint8 and frames.shape == (2, 3, *(size or (32, 48)))
        for n in range(2):
            np.testing.assert_array_equal(frames[n].permute(1, 2, 0), sequence.frame(n, size))
            np.testing.assert_array_equal(following[n].permute(1, 2, 0), sequence.frame(n + stride, size))
    frames, _ = FramePairs(sequence, (0,), size=(16, 24)).load()
    np.testing.assert_array_equal(frames[0].permute(1, 2, 0), resize_image(sequence.frame(0), (16, 24)))


def test_provider(tiny_config):
    cfg = tiny_config()
    assert type(configured_provider(cfg)) is dict and configured_provider(cfg) == dict(type='DISFlow')
    cfg.model.data_preprocessor.flow = None
    for without in (cfg, Config(dict(model=dict(type='Any'))), Config()):
        with pytest.raises(ValueError, match='names no flow provider'):
            configured_provider(without)
