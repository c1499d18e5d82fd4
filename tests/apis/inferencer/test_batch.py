import base64
import json
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer.batch import Batch
from tempseg_mm.apis.inferencer.shots import Shot
from tempseg_mm.visualization.exporters import OverlayVideoWriter

SHOTS = [Shot('a.mp4', ('a.png@0',), name='a'), Shot('b.mp4', boxes=('1,2,3,4',), start=5, name='b & c'),
         Shot('d.mp4', ('d.png@0',), end=9, ground_truth='gt', name='d & e')]


class Inferencer:
    """Stands for one: writes what the page reads; ``b.mp4`` raises :attr:`fault`."""
    fault: BaseException | None = OSError('b.mp4 is <b>broken</b>')

    def __init__(self):
        self.calls = []

    def __call__(self, video, masks, *, out_dir, **keywords):
        self.calls.append((video, masks, keywords))
        out_dir.mkdir(parents=True, exist_ok=True)
        if video == 'b.mp4' and self.fault:
            (out_dir / '.resume').mkdir(exist_ok=True)
            raise self.fault
        (out_dir / '.resume').exists() and (out_dir / '.resume').rmdir()
        with OverlayVideoWriter(out_dir / 'overlay.webm', 10) as writer:
            for i in range(7):
                writer.write(np.full((32, 48, 3), 30 * i, np.uint8))
        (out_dir / 'report.html').touch()
        lost = [dict(object_id=1, first=4, last=6, at=4, why='unsure')] if video == 'a.mp4' else []
        (out_dir / 'result.json').write_text(json.dumps(dict(
            records=[dict(frame_id=i, areas={'1': 5, '3': 7}) for i in range(7)], timings=dict(total=2.5), lost=lost,
            notices=['Look.'], mean_j={'1': 0.5, '3': 0.75} if video == 'd.mp4' else {})))
        return SimpleNamespace()


@pytest.fixture
def inferencer():
    return Inferencer()


def segment_all(batch, **wishes):
    with batch.held():
        return [batch.segment(shot, **wishes) is not None for shot in batch.to_do]


def test_one_that_fails_does_not_end_the_others_and_is_resumed(inferencer, tmp_path):
    batch = Batch(inferencer, SHOTS, tmp_path / 'out')
    assert segment_all(batch, gif=True) == [True, False, True]
    assert [(video, masks) for video, masks, _ in inferencer.calls] == [
        ('a.mp4', ('a.png@0',)), ('b.mp4', None), ('d.mp4', ('d.png@0',))]
    assert inferencer.calls[1][2] == dict(boxes=('1,2,3,4',), start=5, end=None, ground_truth=None, overwrite=False,
                                          resume=False, gif=True)
    assert (inferencer.calls[2][2]['end'], inferencer.calls[2][2]['ground_truth']) == (9, 'gt')
    assert list(batch.faults) == ['b & c']
    inferencer.fault = None
    again = Batch(inferencer, SHOTS, tmp_path / 'out', resume=True)
    assert again.to_do == [SHOTS[1]]
    assert segment_all(again) == [True] and again.faults == {} and again.to_do == []
    assert inferencer.calls[3][2]['resume'] is True
    over = Batch(inferencer, SHOTS, tmp_path / 'out', overwrite=True)
    assert over.to_do == SHOTS and segment_all(over) == [True] * 3


def test_results_are_not_replaced_unasked(inferencer, tmp_path):
    segment_all(Batch(inferencer, SHOTS[:1], tmp_path))
    with pytest.raises(FileExistsError, match=r'holds results \(a\): --resume skips the finished'):
        Batch(inferencer, SHOTS, tmp_path)
    with pytest.raises(ValueError, match='choose one'):
        Batch(inferencer, SHOTS, tmp_path, resume=True, overwrite=True)


def test_a_stop_is_handed_on_and_the_page_is_written(inferencer, tmp_path):
    inferencer.fault = KeyboardInterrupt()
    batch = Batch(inferencer, SHOTS, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        segment_all(batch)
    assert batch.faults == {} and Batch(inferencer, SHOTS, tmp_path, resume=True).to_do == SHOTS[1:]
    text = batch.page.read_text()
    assert '"fault":"not finished"' in text and '"fault":"not begun"' in text


def test_the_page_over_all(inferencer, tmp_path):
    batch = Batch(inferencer, SHOTS, tmp_path / 'out')
    segment_all(batch)
    text = batch.page.read_text()
    lost, failed, scored = json.loads(re.search('id="data">(.*?)</script>', text, re.DOTALL).group(1))['rows']
    assert lost['lost'] == [
        'Object 1 was probably lost at frame 4 (to 6): give a mask there (--mask FILE@4 --correct).']
    assert (lost['frames'], lost['objects'], lost['seconds'], lost['mean_j']) == (7, 2, 2.5, None)
    assert lost['notices'] == ['Look.'] and failed['fault'] == 'failed: b.mp4 is <b>broken</b>'
    assert scored['mean_j'] == 0.625 and scored['links'] == {
        title: f'd%20%26%20e/{name}' for title, name in dict(page='report.html', overlay='overlay.webm',
                                                             result='result.json').items()}
    # A picture of where it was lost, else of the middle.
    assert (lost['caption'], failed['thumbnail'], scored['caption']) == ('frame 4', None, 'frame 3')
    for row, level in ((lost, 120), (scored, 90)):
        coded = np.frombuffer(base64.b64decode(row['thumbnail'].partition(',')[2]), np.uint8)
        assert abs(cv2.imdecode(coded, cv2.IMREAD_COLOR).mean() - level) < 8
