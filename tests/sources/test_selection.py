import cv2
import numpy as np
import pytest

from tempseg_mm.sources import selection
from tempseg_mm.sources.selection import parse_box, select_object


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
    mask = select_object(image, box=box)
    assert mask.dtype == np.uint8 and mask.shape == shape and set(np.unique(mask)) == {0, 1}
    assert iou(mask, expected) > 0.95
    x, y, width, height = box
    mask[y:y + height, x:x + width] = 0
    assert not mask.any(), 'nothing outside of the box'


def test_the_same_every_time():
    image, _ = disk()
    cv2.setRNGSeed(1)
    first = select_object(image, box=(40, 25, 80, 70))
    cv2.setRNGSeed(2)
    cv2.randn(np.zeros((9, 9)), 0, 1)
    np.testing.assert_array_equal(select_object(image, box=(40, 25, 80, 70)), first)


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
    ((20, 20, 3, 3), 'box 20,20,3,3 is too small to find an object in'),
    ((1, 2, 3), 'four whole numbers'),
    ((1.5, 2, 30, 40), 'four whole numbers'),
])
def test_boxes_that_cannot_be(box, words):
    with pytest.raises(ValueError, match=words):
        select_object(disk()[0], box=box)


def test_nothing_or_all_is_found(monkeypatch):
    image, _ = disk()
    for value, words in ((0, 'takes nothing for the object in the box 40,25,80,70: draw .* or give a mask'),
                         (1, 'takes all of it for the object')):
        found = np.full(image.shape[:2], value, np.uint8)
        monkeypatch.setattr(selection, '_grab_cut', lambda *_, found=found: found)
        with pytest.raises(ValueError, match=words):
            select_object(image, box=(40, 25, 80, 70))


def test_a_picture_of_one_colour_is_no_crash():
    with pytest.raises(ValueError, match='GrabCut takes (nothing|all of it) for the object'):
        select_object(np.full((60, 80, 3), 90, np.uint8), box=(20, 20, 30, 20))


@pytest.mark.parametrize('clicks', [[(80, 60, True)], [(70, 70, True), (90, 50, True), (10, 10, False)]])
def test_clicks_alone(clicks):
    image, expected = disk()
    assert iou(select_object(image, clicks=clicks), expected) > 0.95


def test_clicks_correct_a_box():
    image, first = disk(center=(50, 60))
    other, second = disk(center=(110, 60))
    image[second == 1] = other[second == 1]
    box = (20, 30, 120, 60)  # two objects of one colour
    assert iou(select_object(image, box=box), first | second) > 0.9
    found = select_object(image, box=box, clicks=[(110, 60, False)])
    assert iou(found, first) > 0.9 and not (found & second).any()


def test_clicks_change_a_mask_where_they_are_and_nowhere_else():
    image, expected = disk()
    mask = expected.copy()
    cv2.circle(mask, (80, 38), 9, 0, -1)  # a bite is missing,
    cv2.circle(mask, (128, 60), 10, 1, -1)  # a part is too many, and
    mask[100:104, 20:24] = 1  # so is a speck that nobody clicks on
    found = select_object(image, mask=mask, clicks=[(80, 40, True)])
    assert iou(found[:, :110], (expected | mask)[:, :110]) > 0.95
    np.testing.assert_array_equal(found[:, 112:], mask[:, 112:])
    found = select_object(image, mask=255 * mask, clicks=[(80, 40, True), (130, 60, False)])
    assert iou(found[:95], expected[:95]) > 0.95 and found[100:104, 20:24].all()
    np.testing.assert_array_equal(select_object(image, mask=mask), mask)


def test_a_click_reaches_half_as_far_as_the_object_is_wide():
    image, expected = disk()
    mask = cv2.circle(np.zeros_like(expected), (80, 60), 20, 1, -1)  # too small all around
    found = select_object(image, mask=mask, clicks=[(102, 60, True)])
    np.testing.assert_array_equal(found[:, :82], mask[:, :82])
    assert iou(found[50:70, 95:], expected[50:70, 95:]) > 0.9


def test_what_a_click_says_holds():
    image, expected = disk()
    found = select_object(image, mask=expected, clicks=[(80, 60, False), (10, 10, True)])
    assert not found[58:63, 78:83].any() and found[8:13, 8:13].all()
    assert iou(found, expected) > 0.9


def test_a_guess_goes_first_and_is_refined_by_clicks():
    image, expected = disk()
    asked = []

    def guess(picture, rough):
        asked.append(rough)
        return np.roll(expected, 2, axis=1)
    np.testing.assert_array_equal(select_object(image, box=(45, 28, 70, 66), guess=guess), np.roll(expected, 2, axis=1))
    rough, = asked  # an ellipse in the box
    assert 0.6 < rough[28:94, 45:115].mean() < 0.7 and rough[60, 80] and not rough[30, 47]
    asked.clear()
    found = select_object(image, clicks=[(80, 60, True), (20, 20, False)], guess=guess)
    assert iou(found, expected) > 0.85 and asked[0][60, 80] and 500 < asked[0].sum() < 800
    np.testing.assert_array_equal(asked[1], np.roll(expected, 2, axis=1))


def test_a_guess_that_finds_nothing_leaves_it_to_colours():
    image, expected = disk()
    for shown in (dict(box=(45, 28, 70, 66)), dict(clicks=[(80, 60, True)])):
        assert iou(select_object(image, guess=lambda picture, rough: rough * 0, **shown), expected) > 0.95


@pytest.mark.parametrize('shown', [{}, dict(clicks=[(5, 5, False)]), dict(mask=np.zeros((120, 160)))])
def test_nothing_is_shown(shown):
    with pytest.raises(ValueError, match='draw a box around it, or click on it'):
        select_object(disk()[0], **shown)


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
    with pytest.raises(ValueError, match='a box must be x,y,w,h or x,y,w,h@FRAME'):
        parse_box(text)


def test_a_box_without_area():
    with pytest.raises(ValueError, match='the box 1,2,0,4 has no area'):
        parse_box('1,2,0,4')
