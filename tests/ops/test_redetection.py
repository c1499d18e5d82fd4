import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from windows import FRAME, answer, disc, followed, following, frame_with, iou, part_of

from tempseg_mm.ops.redetection import Redetection


@pytest.fixture
def view():
    return following()


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


@pytest.mark.parametrize('off, radius, around', [(dict(found=0), 14, 0.3), (dict(largest=float('inf')), 30, 0.0)])
def test_each_part_of_the_rule_for_a_lost_object_can_be_switched_off(view, off, radius, around):
    def answered(view):
        known = followed(view, disc((80, 60), 14))
        lost = view.moved(frame_with(), replace(known, mask=torch.zeros_like(known.mask)))
        return view.found(frame_with(), lost, answer(lost.window, disc((80, 60), radius), around=around)).mask
    assert not answered(view).any() and answered(following(redetection=off)).any()


def test_without_widening_a_lost_object_is_looked_for_where_it_was_only():
    view = following(redetection=dict(widening=1))
    found = view.given(frame_with(), disc((50, 60), 8))
    lost = replace(found, mask=torch.zeros_like(found.mask))
    for _ in range(5):
        lost = view.moved(frame_with(), lost)
        assert lost.window.zoom == pytest.approx(found.window.zoom)


def test_with_a_bound_of_nothing_a_speck_is_followed():
    view = following(redetection=dict(lost=0))
    found = view.given(frame_with(), disc((80, 60), 20))
    assert view.moved(frame_with(), part_of(found, slice(20, 25), slice(20, 26))).gone == 0


@pytest.mark.parametrize('setting, fault', [
    (dict(lost=1.1), 'lost of redetection must be from 0 to 1, got 1.1'), (dict(found=-0.1), 'found .* from 0 to 1'),
    (dict(largest=0.5), 'largest of redetection must be at least 1, got 0.5'), (dict(widening=0), 'widening'),
    (dict(found=math.nan), 'found')])
def test_settings_out_of_range_are_refused(setting, fault):
    with pytest.raises(ValueError, match=fault):
        Redetection(**setting)


def test_the_values_that_switch_a_part_off_are_in_range():
    off = Redetection(lost=0, found=0, largest=math.inf, widening=1)
    assert (off.lost, off.found, off.largest, off.widening) == (0, 0, math.inf, 1)
