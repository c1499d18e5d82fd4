from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer.output import SegmentationResult
from tempseg_mm.apis.inferencer.pictures import Pictures, write_overlay_gif, write_report
from tempseg_mm.runtime.background import StageClock
from tempseg_mm.structures import FrameRecord


def record(index, change):
    return FrameRecord(index, f'{index:05d}', areas={1: 4}, confidences={1: 0.5}, changes={1: change, 2: None})


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    """Twelve frames, of which the sixth changed most; folder, thumbnails, seconds."""
    folder, clock = tmp_path_factory.mktemp('pictures'), StageClock()
    with ExitStack() as stack:
        pictures = Pictures(folder / 'overlay.webm', 30, clock, stack)
        for index in range(12):
            image = np.full((32, 48, 3), 20 * index, np.uint8)
            pictures.add(index, image, np.zeros((32, 48), np.uint8), record(index, 0.9 if index == 5 else None))
    return folder, pictures, clock


def test_the_overlay_has_a_frame_each_and_thumbnails_where_it_changed(drawn):
    folder, pictures, clock = drawn
    assert cv2.VideoCapture(str(folder / 'overlay.webm')).get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert [index for index, _ in pictures.thumbnails] == [5]
    assert clock.seconds['overlay'] > 0


def test_the_animation_has_ten_frames_a_second_at_most(drawn):
    folder = drawn[0]
    write_overlay_gif(folder / 'overlay.gif', folder / 'overlay.webm', 30)
    with Image.open(folder / 'overlay.gif') as gif:
        assert gif.n_frames == 4 and gif.info['duration'] == 100


def test_the_page_holds_what_is_known(drawn):
    folder, pictures, _ = drawn
    result = SegmentationResult(folder / 'masks', folder / 'result.json', folder / 'overlay.webm',
                                report=folder / 'report.html', records=[record(i, 0.1) for i in range(12)],
                                notices=['ends early'], settings=dict(steps=77))
    write_report(result, pictures, title='a dog', fps=30)
    page = (folder / 'report.html').read_text(encoding='utf-8')
    assert all(text in page for text in ('a dog', 'ends early', '77'))


def test_after_an_error_no_overlay_is_left(tmp_path):
    with pytest.raises(KeyboardInterrupt), ExitStack() as stack:
        pictures = Pictures(tmp_path / 'overlay.webm', 30, StageClock(), stack)
        pictures.add(0, np.zeros((32, 48, 3), np.uint8), np.zeros((32, 48), np.uint8), record(0, None))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_drawing_surfaces(tmp_path):
    with pytest.raises(ValueError, match="a mask must have its frame's size"), ExitStack() as stack:
        pictures = Pictures(tmp_path / 'overlay.webm', 30, StageClock(), stack)
        pictures.add(0, np.zeros((32, 48, 3), np.uint8), np.zeros((31, 48), np.uint8), record(0, None))
