import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from tempseg_mm.apis.flow_evaluation import (
    FlowScore,
    FramePairs,
    configured_provider,
    evaluate_flow,
    frame_pairs,
    score_rows,
)
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.flo_file import read_flo
from tempseg_mm.ops.resize import resize_image


class Known(FlowProvider):
    """Knows the flow on disk of the frames it is shown, and answers with an offset."""
    signature = 'Known()'

    def __init__(self, root, offset):
        self.offset, self.known = offset, {}
        for path in root.rglob('Flow/**/*.flo'):
            frame = cv2.imread(str(path).replace('/Flow/', '/JPEGImages/').replace('.flo', '.jpg'))
            self.known[cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).tobytes()] = read_flo(path)

    def estimate(self, frames, next_frames):
        flow = np.stack([self.known[frame.permute(1, 2, 0).numpy().tobytes()] for frame in frames])
        return torch.from_numpy(flow + np.float32(self.offset)).permute(0, 3, 1, 2)


@pytest.fixture
def root(synthetic_root):
    return Path(synthetic_root)


def test_exact_flow_and_a_known_error(tiny_config, root, tmp_path):
    scores = evaluate_flow(tiny_config(), dict(exact=Known(root, 0), off=Known(root, (3, -4)),
                                               zero=dict(type='ZeroFlow')), pictures=tmp_path / 'pictures')
    assert {name: len(found) for name, found in scores.items()} == dict(exact=10, off=10, zero=10)
    for exact, off, zero in zip(*scores.values(), strict=True):
        assert (exact.epe, exact.object_epe, exact.target_iou, exact.consistent) == (0, 0, 1, None)
        assert off.epe == pytest.approx(5) and off.object_epe == pytest.approx(5) and off.target_iou < 0.9
        assert 0 < zero.epe < 5 and exact.seconds > 0
    pictures = sorted((tmp_path / 'pictures').iterdir())
    assert [path.name for path in pictures] == ['test_000.png', 'test_001.png']
    assert cv2.imread(str(pictures[0])).shape[1] > 3 * 48  # frame, exact, exact; off, zero


def test_some_of_the_pairs(tiny_config):
    scores = evaluate_flow(tiny_config(), dict(zero=dict(type='ZeroFlow')), every=2)
    assert len(scores['zero']) == 2 * 3


def test_without_exact_flow(tiny_config, monkeypatch):
    monkeypatch.setattr(VOSSequence, 'flow', lambda self, i, size=None: None)
    zero, = evaluate_flow(tiny_config(), dict(zero=dict(type='ZeroFlow')), every=5, part='train').values()
    assert len(zero) == 2
    assert (zero[0].consistent, zero[0].epe) == (1.0, None)  # what stays comes back


def test_no_pairs(tiny_config):
    cfg = tiny_config()
    cfg.pop('train_dataloader')
    with pytest.raises(ValueError, match='the train data of this config have no pair'):
        evaluate_flow(cfg, {}, part='train')


def test_rows():
    scores = dict(a=[FlowScore(0.5, 1.0, 2.0, 0.5), FlowScore(1.5, 2.0)], b=[FlowScore(0.25, 4.0, 1.0, 1.0)])
    assert score_rows(scores).splitlines() == [
        '| flow | EPE (px) | EPE on the object | target IoU | s/pair |',
        '|------|---------:|------------------:|-----------:|-------:|',
        '| a    |    1.500 |             2.000 |      0.500 |  1.000 |',
        '| b    |    4.000 |             1.000 |      1.000 |  0.250 |']
    assert '80.0%' in score_rows(dict(a=[FlowScore(1, consistent=0.8)]))


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
