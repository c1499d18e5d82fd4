from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from tempseg_mm.inference.prepared_frame import FramePreparer, PreparedFrame
from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.inference.views import FADING, FollowingWindow, ObjectMask, WholeFrame, remembered_area, view_of
from tempseg_mm.ops.object_window import ObjectWindow, box_of_mask

WINDOW = dict(type='ObjectWindow', size=(48, 64), share=0.5)
FRAME = (120, 160)


def disc(centre, radius, size=FRAME):
    return cv2.circle(np.zeros(size, np.uint8), centre, radius, 1, cv2.FILLED)


def frame_with(flow=None, size=FRAME, scale=1.0):
    """A prepared frame whose content plays no part; ``flow`` (x, y) in pixels of the frame, everywhere the same."""
    small = tuple(int(scale * side) for side in size)
    if flow is not None:
        flow = torch.tensor(flow).mul(scale).view(1, 2, 1, 1).expand(1, 2, *small)
    return PreparedFrame(size, torch.zeros(1, 3, *small, dtype=torch.uint8), flow, np.zeros((*size, 3), np.uint8))


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.fixture
def view():
    return FollowingWindow(ObjectWindow((48, 64), 0.5))


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


def test_where_nothing_is_left_it_looks_where_the_object_was_and_ever_wider(view):
    found = view.given(frame_with(), disc((50, 60), 8))
    zoom, nothing = found.window.zoom, replace(found, mask=torch.zeros_like(found.mask))
    zooms = []
    for _ in range(14):
        nothing = view.moved(frame_with((1.0, 0.0)), nothing)
        zooms.append(nothing.window.zoom)
    assert zooms[::2] == pytest.approx([zoom] * 7)
    assert zooms[1] == pytest.approx(zoom / 1.25 ** 2) and zooms[1::2] == sorted(zooms[1::2], reverse=True)
    assert zooms[-1] == pytest.approx(0.4)  # 48 / 120: the whole frame
    assert nothing.mask.sum() == 0 and nothing.gone == 14
    after_hours = view.moved(frame_with((1.0, 0.0)), replace(nothing, gone=99_999))
    assert after_hours.window.zoom == pytest.approx(0.4)


def part_of(found, rows, columns):
    """What is left of a mask within some rows and columns of its window."""
    rest = torch.zeros_like(found.mask)
    rest[..., rows, columns] = found.mask[..., rows, columns]
    return replace(found, mask=rest)


def test_an_object_that_hides_does_not_draw_the_window_in(view):
    found = view.given(frame_with(), disc((80, 60), 20))
    zoom, seen = found.window.zoom, found.mask.sum()
    found = part_of(found, slice(20, None), slice(0, 28))  # about a quarter of it is left
    assert 0.15 < found.mask.sum() / seen < 0.4
    for _ in range(5):
        found = view.moved(frame_with((0.0, 0.0)), found)
    assert found.window.zoom < 1.15 * zoom
    assert found.area == pytest.approx(np.count_nonzero(disc((80, 60), 20)) * 0.97 ** 5)


def test_of_an_object_that_is_all_but_gone_nothing_is_followed(view):
    found = view.given(frame_with(), disc((80, 60), 20))
    speck = part_of(found, slice(20, 25), slice(20, 26))
    assert 0 < speck.mask.sum() < 0.1 * found.mask.sum()
    after = view.moved(frame_with((0.0, 0.0)), speck)
    assert after.mask.sum() == 0 and after.gone == 1 and after.area == found.area
    assert after.window is found.window


def test_one_that_comes_back_is_looked_at_closely_at_once(view):
    found = view.given(frame_with(), disc((30, 60), 12))
    lost = replace(found, mask=torch.zeros_like(found.mask), window=view.window.whole(FRAME))
    back = torch.from_numpy(lost.window.crop_mask(disc((120, 50), 12)))[None, None].float()
    after = view.moved(frame_with((0.0, 0.0)), replace(lost, mask=back))
    assert after.window.zoom == pytest.approx(found.window.zoom, rel=0.2)
    assert iou(view.pasted(frame_with(), after) > 0.5, disc((120, 50), 12) > 0) > 0.8


def answer(window, mask, inside=1.0, around=0.0):
    """What a network could find in a window: one probability where the mask is, another in a margin around it."""
    margin = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - mask
    shown = [torch.from_numpy(window.crop_mask(part))[None, None].float() for part in (mask, margin)]
    return inside * shown[0] + around * shown[1]


def followed(view, mask):
    """What is known after a frame in which the network found all of a given mask, and nothing else."""
    reference = view.given(frame_with(), mask)
    return view.found(frame_with(), reference, reference.mask)


@pytest.mark.parametrize('radius, around, found', [(14, 0.0, True), (14, 0.3, False), (22, 0.0, True),
                                                   (30, 0.0, False)])
def test_a_lost_object_is_found_where_the_network_is_sure_and_the_size_is_likely(view, radius, around, found):
    known = followed(view, disc((80, 60), 14))
    assert known.usual == pytest.approx(1, abs=0.02)
    lost = view.moved(frame_with(), replace(known, mask=torch.zeros_like(known.mask)))
    mask = answer(lost.window, disc((80, 60), radius), around=around)
    after = view.found(frame_with(), lost, mask)
    assert after.gone == 1 and after.usual == known.usual
    assert torch.equal(after.mask, mask if found else torch.zeros_like(mask))
    again = view.moved(frame_with(), after)
    assert again.gone == (0 if found else 2) and again.usual == known.usual and again.area == pytest.approx(
        (1.2 if radius > 14 else 1) * known.area if found else known.area, rel=0.05)


def test_a_place_that_looks_like_it_from_afar_is_looked_at_closely(view):
    known = followed(view, disc((30, 60), 8))
    lost = replace(known, mask=torch.zeros_like(known.mask))
    for _ in range(6):
        lost = view.moved(frame_with(), lost)
    assert lost.window.zoom < known.window.zoom / 1.9
    far = view.found(frame_with(), lost, answer(lost.window, disc((120, 60), 8), around=0.2))
    assert not far.mask.any() and far.area == known.area
    near = view.moved(frame_with(), far)
    assert near.gone == 7 and near.window.zoom == pytest.approx(known.window.zoom, rel=0.2)
    mask = answer(near.window, disc((120, 60), 8))
    assert view.found(frame_with(), near, mask).mask.sum() == mask.sum() > 0.9 * known.mask.sum()
    # What is far too large, or a speck, does not draw the window.
    for radius in (30, 2):
        mask = answer(lost.window, disc((110, 60), radius), around=0.2)
        assert view.found(frame_with(), lost, mask).home is known.home


def test_an_object_that_stays_in_view_may_be_as_unsure_as_it_likes(view):
    known = followed(view, disc((80, 60), 14))
    reference = view.moved(frame_with(), known)
    unsure = answer(reference.window, disc((80, 60), 14), inside=0.6, around=0.4)
    assert torch.equal(view.found(frame_with(), reference, unsure).mask, unsure)


def test_until_it_was_seen_once_any_mask_is_taken(view):
    hidden = view.moved(frame_with(), view.given(frame_with(), np.zeros(FRAME, np.uint8)))
    mask = answer(hidden.window, disc((80, 60), 14), around=0.3)
    assert hidden.gone == 1 and torch.equal(view.found(frame_with(), hidden, mask).mask, mask)


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


def test_a_mask_and_its_window_survive_a_file(view):
    found = replace(view.given(frame_with(), disc((50, 60), 14)), shown=0.5, usual=0.9)
    again = ObjectMask.from_state(found.state())
    assert torch.equal(again.mask, found.mask)
    np.testing.assert_array_equal(again.window.matrix, found.window.matrix)
    assert (again.window.size, again.window.frame_size) == (found.window.size, found.window.frame_size)
    assert again.area == found.area > 0 and (again.gone, again.shown, again.usual) == (0, 0.5, 0.9)
    np.testing.assert_array_equal(again.home.matrix, found.home.matrix)
    whole = ObjectMask(torch.ones(1, 1, 2, 3))
    assert ObjectMask.from_state(whole.state()).window is None


def test_the_model_says_which_view(make_model):
    assert isinstance(view_of(make_model()), WholeFrame)
    assert isinstance(view_of(make_model(window=WINDOW)), FollowingWindow)


def test_the_network_sees_windows_and_answers_at_the_size_of_the_frame(make_model, make_sequence):
    sequence, model = make_sequence(3, (97, 131)), make_model(window=WINDOW).eval()
    seen = []
    predict = model.predict
    model.predict = lambda frames, masks, **more: seen.append(frames.shape) or predict(frames, masks, **more)
    propagator = generator_propagator(model, {1: None}, size=48)
    propagator.start(sequence.frames[0], sequence.masks[0])
    probabilities = propagator.step(sequence.frames[1])
    assert probabilities.shape == (1, 97, 131) and 0 <= probabilities.min() and probabilities.max() <= 1
    assert seen == [(1, 3, 48, 64)]


def test_a_frame_that_was_put_aside_smaller_shows_the_same_place(view):
    frame = np.zeros((*FRAME, 3), np.uint8)
    frame[disc((50, 60), 14) > 0] = 255
    small = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA)
    preparer = FramePreparer()
    found = view.given(preparer.first(frame), disc((50, 60), 14))
    large = view.pixels(preparer.first(frame), found).float()
    assert (large - view.pixels(preparer.first(small, size=FRAME), found)).abs().mean() < 12


@pytest.mark.parametrize('whole', [False, True])
def test_what_is_known_to_be_others_is_taken_from_a_mask(view, whole):
    view = WholeFrame() if whole else view
    found = view.given(frame_with(), disc((50, 60), 14))
    left = view.without(frame_with(), found, disc((60, 60), 14))
    expected = disc((50, 60), 14) * (1 - disc((60, 60), 14)) > 0
    assert iou(view.pasted(frame_with(), left) > 0.5, expected) > 0.9
    assert (left.window, left.area) == (found.window, found.area) and left.mask.sum() < found.mask.sum()


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
