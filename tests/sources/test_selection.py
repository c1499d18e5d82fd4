import cv2
import numpy as np
import pytest

from tempseg_mm.sources import selection
from tempseg_mm.sources.selection import mask_from_box, parse_box


def disk(shape=(120, 160), center=(80, 60), radius=25):
    """A reddish disk on a greenish ground, both noisy, and its mask."""
    mask = cv2.circle(np.zeros(shape, np.uint8), center, radius, 1, -1)
    noise = np.random.default_rng(0).normal(0, 12, (*shape, 3))
    image = np.where(mask[..., None] == 1, (190, 70, 60), (60, 120, 80)) + noise
    return np.clip(image, 0, 255).astype(np.uint8), mask


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize('shape, center, radius, box', [
    ((120, 160), (80, 60), 25, (45, 28, 70, 66)),
    ((121, 83), (40, 80), 20, (10, 55, 55, 50)),  # upright, odd sides
    ((600, 1000), (500, 300), 150, (320, 130, 360, 350)),  # works on a smaller copy
])
def test_an_object_is_found(shape, center, radius, box):
    image, expected = disk(shape, center, radius)
    mask = mask_from_box(image, box, iterations=2)
    assert mask.dtype == np.uint8 and mask.shape == shape and set(np.unique(mask)) == {0, 1}
    assert iou(mask, expected) > 0.95
    x, y, width, height = box
    mask[y:y + height, x:x + width] = 0
    assert not mask.any(), 'nothing outside of the box'


def test_the_same_every_time():
    image, _ = disk()
    cv2.setRNGSeed(1)
    first = mask_from_box(image, (40, 25, 80, 70))
    cv2.setRNGSeed(2)
    cv2.randn(np.zeros((9, 9)), 0, 1)
    np.testing.assert_array_equal(mask_from_box(image, (40, 25, 80, 70)), first)


def test_large_parts_are_kept_and_specks_are_not():
    mask = np.zeros((40, 40), np.uint8)
    mask[:10, :10] = mask[20:22, :5] = mask[30:33, 30:33] = 1  # 100, 10 and 9 pixels
    kept = selection._large_parts(mask)
    mask[30:33, 30:33] = 0
    np.testing.assert_array_equal(kept, mask)
    assert not selection._large_parts(mask * 0).any()


@pytest.mark.parametrize('box, words', [
    ((140, 20, 30, 30), 'box 140,20,30,30 is not within the frame, which is 160 pixels wide and 120 high'),
    ((-1, 20, 30, 30), 'not within the frame'),
    ((10, 100, 30, 21), 'not within the frame'),
    ((10, 10, 0, 20), 'not within the frame'),
    ((0, 0, 400, 400), 'not within the frame'),
    ((0, 0, 160, 120), 'is the whole frame'),
    ((20, 20, 3, 3), 'box 20,20,3,3 is too small for GrabCut'),
    ((1, 2, 3), 'four whole numbers'),
    ((1.5, 2, 30, 40), 'four whole numbers'),
])
def test_boxes_that_cannot_be(box, words):
    with pytest.raises(ValueError, match=words):
        mask_from_box(disk()[0], box)


def test_nothing_or_all_is_found(monkeypatch):
    image, _ = disk()
    for value, words in ((0, 'takes nothing for the object in the box 40,25,80,70: draw .* or give a mask'),
                         (1, 'takes all of it for the object')):
        found = np.full(image.shape[:2], value, np.uint8)
        monkeypatch.setattr(selection, '_grab_cut', lambda *_, found=found: found)
        with pytest.raises(ValueError, match=words):
            mask_from_box(image, (40, 25, 80, 70))


def test_a_picture_of_one_colour_is_no_crash():
    with pytest.raises(ValueError, match='GrabCut takes (nothing|all of it) for the object'):
        mask_from_box(np.full((60, 80, 3), 90, np.uint8), (20, 20, 30, 20))


@pytest.mark.parametrize('text, expected', [
    ('1,2,30,40', ((1, 2, 30, 40), None)),
    ('1,2,30,40@7', ((1, 2, 30, 40), 7)),
    (' 0, 0, 5, 6 @ 0', ((0, 0, 5, 6), 0)),
])
def test_boxes_as_text(text, expected):
    assert parse_box(text) == expected


@pytest.mark.parametrize('text', ['', '1,2,3', '1,2,3,4,5', '1,2,-3,4', '1,2,3,4@', '1,2,3,4@-1', '1.5,2,3,4', 'a.png',
                                  '1,2,3,4@b', '²,2,3,4'])
def test_what_is_no_box(text):
    with pytest.raises(ValueError, match='a box is x,y,w,h or x,y,w,h@FRAME'):
        parse_box(text)


def test_a_box_without_area():
    with pytest.raises(ValueError, match='the box 1,2,0,4 has no area'):
        parse_box('1,2,0,4')
