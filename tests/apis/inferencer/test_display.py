import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer import display
from tempseg_mm.apis.inferencer.display import Window, shown_progress


def test_lines_where_there_is_no_terminal(monkeypatch):
    lines = []
    with shown_progress(lines.append, is_terminal=False) as on_progress:
        for step in range(1, 4):
            on_progress('fine-tuning', step, 3)
        on_progress('forwards', 1, 2)
        on_progress('forwards', 2, 2)
    assert [line.split('  (')[0] for line in lines] == ['fine-tuning: 3/3', 'forwards: 2/2']
    assert 'steps/' in lines[0] and 'frames/' in lines[1]
    assert all(line.endswith('eta 0:00:00)') for line in lines)


def test_lines_of_work_that_grows_count_to_its_new_end(monkeypatch):
    lines = []
    with shown_progress(lines.append, is_terminal=False) as on_progress:
        for step in range(1, 5):
            on_progress('fine-tuning', step, 2 if step < 3 else 4)
    assert [line.split('  (')[0] for line in lines] == ['fine-tuning: 2/2', 'fine-tuning: 4/4']
    assert all(line.endswith('eta 0:00:00)') for line in lines)


def test_lines_where_nobody_knows_the_length(monkeypatch):
    monkeypatch.setattr(display, 'INTERVAL', 0.0)
    lines = []
    with shown_progress(lines.append, is_terminal=False) as on_progress:
        on_progress('forwards', 1, None)
    assert lines == ['forwards: 1']


@pytest.mark.parametrize('total', [3, None])
def test_a_bar_on_a_terminal(capsys, total):
    with shown_progress(lambda text: pytest.fail(text), is_terminal=True) as on_progress:
        on_progress('fine-tuning', 1, 3)
        on_progress('forwards', 2, total)
    shown = capsys.readouterr().out
    assert 'fine-tuning' in shown and f'2/{total or "?"}' in shown


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
    monkeypatch.setattr(display.sys, 'platform', 'linux')
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
