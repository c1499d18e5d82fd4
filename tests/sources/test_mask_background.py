import numpy as np
import pytest
from sources.masks_drawn import disc

from tempseg_mm.sources.mask_background import background_color, border_of, surrounding


@pytest.mark.parametrize('index, value', [
    (disc(1), 0), (1 - disc(1), 1), (np.full((5, 6), 7, np.uint8), 7),
    (np.eye(6, dtype=np.uint8), None),  # corners differ
    (disc(1) * 0 + (np.arange(80) % 79 > 20) * np.uint8(3), None)])  # less than three quarters of the border
def test_surrounding(index, value):
    assert surrounding(index) == value


def test_border():
    assert sorted(border_of(np.arange(12).reshape(3, 4)).tolist()) == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]


@pytest.mark.parametrize('colors, found', [
    ([(0, 0, 0), (255, 0, 0)], 0), ([(0, 0, 255), (255, 0, 0)], 0), ([(255, 255, 255), (0, 0, 0)], 0)])
def test_what_surrounds_goes_before_black(colors, found):
    assert background_color(disc(1), np.array(colors, np.uint8)) == found


def test_black_and_half_of_the_border():
    halves = np.zeros((4, 6), np.uint8)
    halves[:, 3:] = 1
    colors = np.array([(255, 0, 0), (0, 0, 0)], np.uint8)
    assert background_color(halves, colors) == 1
    halves[0, 3] = 0  # more than half
    assert background_color(halves, colors + 40) == 0
    thirds = np.arange(6, dtype=np.uint8)[None].repeat(4, 0) // 2
    assert background_color(thirds, np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)) is None
    assert background_color(thirds * 0, colors) is None  # one colour: an object that fills the frame
