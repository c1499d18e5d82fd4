from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from windows import FRAME, answer, disc, following, frame_with, iou, part_of

from tempseg_mm.inference.following_window import FollowingWindow
from tempseg_mm.inference.object_mask import FADING, remembered_area
from tempseg_mm.inference.prepared_frame import FramePreparer
from tempseg_mm.ops.object_window import ObjectWindow, box_of_mask


@pytest.fixture
def view():
    return following()


@pytest.mark.parametrize('scale', [1.0, 0.5])
def test_the_window_goes_where_the_flow_takes_the_object(view, scale):
    mask = disc((50, 60), 14)
    last = view.given(frame_with(), mask)
    moved = view.moved(frame_with((20.0, -10.0), scale=scale), last)
    there = disc((70, 50), 14)
    pasted = view.pasted(frame_with(), moved) > 0.5
    assert iou(pasted, there > 0) > 0.93
    left, top, right, bottom = box_of_mask(there)
    middle = moved.window.inverse @ (31.5, 23.5, 1)
    assert middle == pytest.approx(((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5), abs=1)


def test_over_many_frames_the_mask_keeps_its_shape(view):
    mask = disc((30, 60), 12)
    found = view.given(frame_with(), mask)
    for _ in range(20):
        found = view.moved(frame_with((4.0, 0.0)), found)
        found = replace(found, mask=(found.mask > 0.5).float())
    assert iou(view.pasted(frame_with(), found) > 0.5, disc((110, 60), 12) > 0) > 0.85


def test_an_object_that_hides_does_not_draw_the_window_in(view):
    found = view.given(frame_with(), disc((80, 60), 20))
    zoom, seen = found.window.zoom, found.mask.sum()
    found = part_of(found, slice(20, None), slice(0, 28))  # about a quarter of it is left
    assert 0.15 < found.mask.sum() / seen < 0.4
    for _ in range(5):
        found = view.moved(frame_with((0.0, 0.0)), found)
    assert found.window.zoom < 1.15 * zoom
    assert found.area == pytest.approx(np.count_nonzero(disc((80, 60), 20)) * 0.97 ** 5)


def passing(view, steps=6):
    """What is known after an object passed a pot on its way, and the network took the pot for a part of it."""
    pot = cv2.rectangle(np.zeros(FRAME, np.uint8), (78, 50), (90, 75), 1, cv2.FILLED)
    found = view.given(frame_with(), disc((40, 60), 14))
    for step in range(1, steps + 1):
        here = disc((40 + 5 * step, 60), 14)
        frame = frame_with((0.0, 0.0))
        before = torch.from_numpy(disc((35 + 5 * step, 60), 14))
        frame = replace(frame, flow=torch.stack((5.0 * before, 0.0 * before))[None])
        reference = view.moved(frame, found)
        seen = np.maximum(here, pot if step > 4 else 0)
        found = view.found(frame, reference, answer(reference.window, seen))
    return view.pasted(frame, found) > 0.5, here > 0, (pot > 0) & (here == 0)


def test_an_object_does_not_take_along_what_it_passes(view):
    pasted, here, pot = passing(view)
    assert pasted[here].mean() > 0.9 and pasted[pot].mean() < 0.1
    pasted, here, pot = passing(following(surroundings=None))
    assert pasted[here].mean() > 0.9 and pasted[pot].mean() > 0.9


def test_what_is_known_of_the_surroundings_ends_with_the_object(view):
    reference = view.moved(frame_with((1.0, 0.0)), view.given(frame_with(), disc((50, 60), 14)))
    assert reference.surroundings is not None
    lost = view.moved(frame_with((1.0, 0.0)), replace(reference, mask=torch.zeros_like(reference.mask)))
    assert lost.surroundings is None and view.given(frame_with(), disc((50, 60), 14)).surroundings is None


def test_the_visible_share_is_that_of_the_remembered_area(view):
    found = view.given(frame_with(), disc((80, 60), 20))
    assert view.moved(frame_with(), found).shown == 1
    part = part_of(found, slice(20, None), slice(0, 28))
    assert view.moved(frame_with(), part).shown == pytest.approx(
        part.mask.sum().item() / found.mask.sum().item() / FADING, rel=0.02)


def test_an_object_that_comes_nearer_keeps_its_share_of_the_window(view):
    found = view.given(frame_with(), disc((80, 60), 10))
    for radius in range(11, 31):
        seen = torch.from_numpy(found.window.crop_mask(disc((80, 60), radius)))[None, None].float()
        found = view.moved(frame_with((0.0, 0.0)), replace(found, mask=seen))
    assert 61 * found.window.zoom / 48 == pytest.approx(0.5, rel=0.1)


def test_a_window_has_the_shape_of_the_given_object_and_keeps_it():
    view = FollowingWindow(ObjectWindow((48, 64), 0.4, aspect=(0.5, 2.0)))
    upright = np.zeros(FRAME, np.uint8)
    upright[40:80, 60:80] = 1
    found = view.given(frame_with(), upright)
    assert found.window.size == (80, 32) == found.mask.shape[-2:]
    moved = view.moved(frame_with((20.0, 0.0)), found)
    assert moved.window.size == (80, 32)
    assert iou(view.pasted(frame_with(), moved) > 0.5, np.roll(upright, 20, 1) > 0) > 0.85
    assert view.pixels(frame_with(), moved).shape == (1, 3, 80, 32)
    for _ in range(4):
        moved = view.moved(frame_with((0.0, 0.0)), replace(moved, mask=torch.zeros_like(moved.mask)))
        assert moved.window.size == (80, 32)
    lying = np.zeros(FRAME, np.uint8)
    lying[50:60, 40:100] = 1
    assert view.given(frame_with(), lying).window.size == (32, 96)  # until the next given mask


def test_without_an_object_the_window_is_the_whole_frame(view):
    found = view.given(frame_with(), np.zeros(FRAME, np.uint8))
    assert found.window.zoom == pytest.approx(0.4) and not found.mask.any()


@pytest.mark.parametrize('size', [(97, 131), (400, 90), (31, 33)])
def test_frames_of_any_size_and_objects_at_their_borders(size):
    view = FollowingWindow(ObjectWindow((48, 64), 0.5))
    mask = np.zeros(size, np.uint8)
    mask[:20, -12:] = 1
    found = view.given(frame_with(size=size), mask)
    pasted = view.pasted(frame_with(size=size), found)
    assert pasted.shape == size and iou(pasted > 0.5, mask > 0) > 0.9
    assert view.pixels(frame_with(size=size), found).shape == (1, 3, 48, 64)


def test_a_mask_of_another_size_than_its_frame_is_refused(view):
    with pytest.raises(ValueError, match='must have the same size'):
        view.given(frame_with(), np.zeros((3, 4), np.uint8))


def test_a_frame_that_was_put_aside_smaller_shows_the_same_place(view):
    frame = np.zeros((*FRAME, 3), np.uint8)
    frame[disc((50, 60), 14) > 0] = 255
    small = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA)
    preparer = FramePreparer()
    found = view.given(preparer.first(frame), disc((50, 60), 14))
    large = view.pixels(preparer.first(frame), found).float()
    assert (large - view.pixels(preparer.first(small, size=FRAME), found)).abs().mean() < 12


def test_a_mask_that_is_given_where_the_object_hides_is_seen_as_if_all_of_it_were_there():
    view = FollowingWindow(ObjectWindow(size=(48, 64), share=0.5))
    whole, part = disc((80, 60), 20), disc((80, 60), 5)
    area = remembered_area({3: float(whole.sum())}, 5)
    assert area == pytest.approx(whole.sum() * FADING ** 2) and remembered_area({}, 5) == 0
    found, plain = view.given(frame_with(), part, area), view.given(frame_with(), part)
    assert (found.area, plain.area) == (area, part.sum())
    assert found.window.zoom == pytest.approx(plain.window.zoom * np.sqrt(part.sum() / area))
    assert view.given(frame_with(), whole, area).area == whole.sum()
    gone = view.given(frame_with(), 0 * part, area)
    assert gone.area == area and not gone.mask.any()
