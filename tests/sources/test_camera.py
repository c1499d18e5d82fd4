import cv2
import numpy as np
import pytest

from tempseg_mm.sources.camera import CameraSource


class FakeCapture:
    """A camera that is unplugged after ten frames, each filled with its number in blue."""

    def __init__(self, index, num_frames=10):
        self.index, self.i, self.num_frames, self.is_released = index, 0, num_frames, False

    def isOpened(self):
        return self.index == 3

    def get(self, what):
        return 30.0 if what == cv2.CAP_PROP_FPS else 0.0

    def grab(self):
        self.i += 1
        return True

    def read(self):
        if self.i >= self.num_frames:
            return False, None
        self.grab()
        image = np.zeros((4, 6, 3), np.uint8)
        image[..., 0] = self.i - 1  # BGR
        return True, image

    def release(self):
        self.is_released = True


@pytest.fixture(autouse=True)
def _camera(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)


def test_frames_as_they_come():
    with CameraSource(3, start=2, end=5) as source:
        frames = list(source.frames())
        assert [frame.frame_id for frame in frames] == [2, 3, 4] == [frame.image[0, 0, 2] for frame in frames]
        assert (source.num_frames, source.fps, source.name, source.rewindable) == (3, 30, 'camera3', False)
        with pytest.raises(RuntimeError, match='camera3 can be read only once'):
            source.frames()
    assert source._capture.is_released


def test_it_runs_until_it_is_unplugged():
    source = CameraSource(3, fps=12)
    assert source.num_frames is None and source.fps == 12
    assert len(list(source.frames())) == 10 and list(source.notices) == ['camera3 stopped after frame 9']
    source = CameraSource(3, end=20)
    assert len(list(source.frames())) == 10
    assert list(source.notices) == ['camera3 ended before frame 10; frames up to 20 were requested']


def test_no_camera(monkeypatch):
    with pytest.raises(OSError, match='camera 9 cannot be opened: is it plugged in'):
        CameraSource(9)
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: FakeCapture(index, num_frames=0))
    with pytest.raises(OSError, match='camera3 delivers no frames'):
        list(CameraSource(3).frames())
