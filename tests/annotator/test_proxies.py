import threading

import cv2
import numpy as np

from tempseg_mm.annotator.proxies import FrameProxies
from tempseg_mm.sources.frame_source import SourceFrame


def made(folder, frames):
    ready = []
    proxies = FrameProxies(folder, frames, ready.append)
    proxies._thread.join(20)
    return proxies, ready


def test_frames_are_small_copies_and_go_with_the_end(tmp_path):
    (tmp_path / 'frames').mkdir()
    (tmp_path / 'frames/99.jpg').write_bytes(b'of an earlier run that was killed')
    images = [np.full((900, 1200, 3), (200, 60, 10 * i), np.uint8) for i in range(9)]
    proxies, ready = made(tmp_path / 'frames', lambda: (
        SourceFrame(i + 5, '', image) for i, image in enumerate(images)))
    assert ready == [8, 9] and proxies.num_ready == 9 and proxies.fault is None
    found = cv2.cvtColor(cv2.imdecode(np.frombuffer(proxies.read(7), np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert found.shape == (720, 960, 3)
    np.testing.assert_allclose(found.mean((0, 1)), (200, 60, 20), atol=4)
    assert proxies.read(4) is None and proxies.read(99) is None
    proxies.close()
    assert not (tmp_path / 'frames').exists()


def test_a_damaged_end_leaves_what_came_before(tmp_path):
    def frames():
        yield SourceFrame(0, '', np.zeros((8, 8, 3), np.uint8))
        raise OSError('dog.mp4 is cut short')
    proxies, ready = made(tmp_path / 'frames', frames)
    assert (ready, proxies.fault) == ([1], 'dog.mp4 is cut short') and proxies.read(0)
    proxies.close()


def test_closing_ends_reading(tmp_path):
    read, closed = threading.Event(), threading.Event()

    def frames():
        try:
            for i in range(10 ** 6):
                yield SourceFrame(i, '', np.zeros((8, 8, 3), np.uint8))
                read.set()
        finally:
            closed.set()
    proxies = FrameProxies(tmp_path / 'frames', frames, lambda ready: None)
    assert read.wait(20)
    proxies.close()
    assert closed.is_set() and proxies.num_ready < 10 ** 6
