from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tempseg_mm.apis.flow_evaluation import FlowScore, evaluate_flow, score_rows
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.flo_file import read_flo


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
    with pytest.raises(ValueError, match='the train data of this config hold no pair'):
        evaluate_flow(cfg, {}, part='train')


def test_rows():
    scores = dict(a=[FlowScore(0.5, 1.0, 2.0, 0.5), FlowScore(1.5, 2.0)], b=[FlowScore(0.25, 4.0, 1.0, 1.0)])
    assert score_rows(scores).splitlines() == [
        '| flow | EPE (px) | EPE on the object | target IoU | s a pair |',
        '|------|---------:|------------------:|-----------:|---------:|',
        '| a    |    1.500 |             2.000 |      0.500 |    1.000 |',
        '| b    |    4.000 |             1.000 |      1.000 |    0.250 |']
    assert '80.0%' in score_rows(dict(a=[FlowScore(1, consistent=0.8)]))
