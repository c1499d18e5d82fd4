import colorsys

import numpy as np
import pytest

from tempseg_mm.datasets.transforms.photometric import ClipPhotometric, colour_matrix
from tempseg_mm.registry import TRANSFORMS

NEUTRAL = dict(brightness=1, contrast=1, saturation=1, hue=0)


def apply(colour, **changes):
    matrix = colour_matrix(**dict(NEUTRAL, **changes))
    return matrix @ [*colour, 1]


def test_neutral_is_identity():
    np.testing.assert_allclose(colour_matrix(**NEUTRAL), np.eye(3, 4), atol=1e-12)


def test_each_change_by_hand():
    np.testing.assert_allclose(apply((100, 50, 20), brightness=1.2), [120, 60, 24])
    np.testing.assert_allclose(apply((137.5, 117.5, 127.5), contrast=2), [147.5, 107.5, 127.5])
    np.testing.assert_allclose(apply((100, 50, 20), saturation=0), [61.53] * 3)  # 29.9 + 29.35 + 2.28
    np.testing.assert_allclose(apply((200, 0, 0), hue=120), [0, 200, 0], atol=1e-9)


def test_gray_keeps_its_hue():
    for changes in (dict(hue=77), dict(saturation=0.3), dict(hue=-20, saturation=1.4)):
        np.testing.assert_allclose(apply((90, 90, 90), **changes), [90, 90, 90])


def test_hue_turns_as_in_hsv():
    turned = np.clip(apply((180, 120, 120), hue=30) / 255, 0, 1)
    before, after = (colorsys.rgb_to_hsv(*colour)[0] * 360 for colour in (np.array([180, 120, 120]) / 255, turned))
    assert (after - before) % 360 == pytest.approx(30, abs=1)


def test_one_draw_per_clip():
    frames = [np.random.default_rng(0).integers(60, 190, (8, 9, 3), dtype=np.uint8)] * 3
    np.random.seed(1)
    results = TRANSFORMS.build(dict(type='ClipPhotometric'))(dict(frames=frames, gt_masks='untouched'))
    out = results['frames']
    assert out[0].dtype == np.uint8 and (out[0] != frames[0]).any()
    np.testing.assert_array_equal(out[0], out[1])
    np.testing.assert_array_equal(out[0], out[2])
    assert results['gt_masks'] == 'untouched'
    np.random.seed(2)
    assert (ClipPhotometric()(dict(frames=frames))['frames'][0] != out[0]).any()


def test_saturates_instead_of_wrapping():
    frame = np.array([[[250, 250, 250], [5, 5, 5]]], np.uint8)
    np.random.seed(0)
    for _ in range(20):
        out = ClipPhotometric(brightness=1, contrast=1)(dict(frames=[frame]))['frames'][0].astype(int)
        assert out[0, 0, 0] >= out[0, 1, 0] - 1  # wrapping would turn white dark


@pytest.mark.parametrize('kwargs', [dict(brightness=-0.1), dict(contrast=1.5), dict(saturation=2), dict(hue=-1)])
def test_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        ClipPhotometric(**kwargs)
