import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer import window
from tempseg_mm.apis.inferencer.window import Window


@pytest.fixture
def shown(monkeypatch):
    """What OpenCV was asked to show; no window is opened."""
    pictures = []
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(cv2, 'namedWindow', lambda *a: None)
    monkeypatch.setattr(cv2, 'destroyWindow', lambda *a: None)
    monkeypatch.setattr(cv2, 'imshow', lambda title, picture: pictures.append(picture))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: -1)
    return pictures


def test_the_overlay_is_shown_in_the_order_of_opencv(shown):
    image = np.zeros((600, 900, 3), np.uint8)
    image[..., 0] = 200  # red
    with Window('x') as shown_window:
        shown_window.show(image, np.zeros((600, 900), np.uint8))
    assert shown[0].shape == (480, 720, 3) and shown[0][5, 5].tolist() == [0, 0, 200]


def test_q_stops_as_ctrl_c_does(shown, monkeypatch):
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: ord('q'))
    with pytest.raises(KeyboardInterrupt), Window('x') as shown_window:
        shown_window.show(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8))


def test_without_a_display(monkeypatch):
    monkeypatch.setattr(window.sys, 'platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(OSError, match='no display .*leave --show out'):
        Window('x')


def test_an_opencv_without_windows(shown, monkeypatch):
    def fail(*arguments):
        raise cv2.error('not implemented')
    monkeypatch.setattr(cv2, 'namedWindow', fail)
    with pytest.raises(OSError, match='built without windows'):
        Window('x')
