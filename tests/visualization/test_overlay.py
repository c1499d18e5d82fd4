import numpy as np
import pytest

from tempseg_mm.visualization.overlay import cut_out, draw_contour, overlay_mask
from tempseg_mm.visualization.palette import object_colors


@pytest.fixture
def mask():
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:35] = 1
    return mask


def flat(*color):
    return np.full((40, 50, 3), color, np.uint8)


def test_the_tint_by_hand(mask):
    drawn = overlay_mask(flat(100, 100, 100), mask, color=(200, 0, 100), alpha=0.25, contour=False)
    assert drawn[20, 20].tolist() == [125, 75, 100]
    assert drawn[5, 5].tolist() == [100, 100, 100]
    assert drawn.dtype == np.uint8


@pytest.mark.parametrize('scene', [flat(250, 250, 250), flat(5, 5, 5), flat(255, 64, 64), flat(128, 128, 128)])
def test_the_outline_shows_on_any_scene(mask, scene):
    drawn = overlay_mask(scene, mask)
    near = drawn[8:13, 20].astype(int).mean(-1)
    assert near.max() - near.min() > 200  # white beside dark
    assert np.abs(near - scene[0, 0].astype(int).mean()).max() > 80


def test_holes_are_outlined_too(mask):
    mask[18:24, 18:26] = 0
    assert (draw_contour(flat(0, 0, 0), mask)[14:28, 14:30] == 255).all(-1).any()


def test_a_contour_of_another_colour(mask):
    drawn = draw_contour(flat(0, 0, 0), mask, color=(0, 255, 0))
    assert (drawn == (0, 255, 0)).all(-1).any()
    assert not (drawn == (255, 255, 255)).all(-1).any()


def test_probabilities_count_from_above_one_half(mask):
    half = np.where(mask == 1, 0.6, 0.5)
    assert np.array_equal(overlay_mask(flat(9, 9, 9), half), overlay_mask(flat(9, 9, 9), mask.astype(bool)))


def test_an_empty_mask_changes_nothing():
    scene = flat(10, 20, 30)
    assert np.array_equal(overlay_mask(scene, np.zeros((40, 50), bool)), scene)


def test_the_image_is_left_as_it_is(mask):
    scene = flat(10, 20, 30)
    overlay_mask(scene, mask)
    draw_contour(scene, mask)
    assert (scene == (10, 20, 30)).all()


def test_a_view_with_reversed_channels_can_be_drawn_on(mask):
    assert overlay_mask(flat(1, 2, 3)[..., ::-1], mask)[0, 0].tolist() == [3, 2, 1]


def test_each_object_has_its_colour_and_its_outline(mask):
    mask[10:30, 22:35] = 7
    drawn = overlay_mask(flat(0, 0, 0), mask, alpha=1)
    assert drawn[20, 15].tolist() == object_colors()[1].tolist() == [255, 64, 64]
    assert drawn[20, 29].tolist() == object_colors()[7].tolist()
    assert (drawn[20, 20:24] == 255).all(-1).any()  # where they meet
    assert overlay_mask(flat(0, 0, 0), mask, alpha=1, color=(9, 8, 7))[20, 29].tolist() == [9, 8, 7]


@pytest.mark.parametrize('dtype', [np.int64, np.int8, np.uint16])
def test_ids_may_be_of_any_integer_type(mask, dtype):
    assert np.array_equal(overlay_mask(flat(0, 0, 0), mask.astype(dtype)), overlay_mask(flat(0, 0, 0), mask))


def test_ids_out_of_range_are_named(mask):
    with pytest.raises(ValueError, match='object ids must be 0 to 255, got 0 to 300'):
        overlay_mask(flat(0, 0, 0), mask.astype(int) * 300)
    with pytest.raises(ValueError, match='got -1 to 0'):
        overlay_mask(flat(0, 0, 0), -mask.astype(int))


@pytest.mark.parametrize('draw', [overlay_mask, draw_contour])
def test_wrong_arrays_are_named(draw, mask):
    with pytest.raises(ValueError, match=r'the mask is \(39, 50\) and its image \(40, 50\)'):
        draw(flat(0, 0, 0), mask[1:])
    with pytest.raises(ValueError, match=r'must be \(H, W, 3\) uint8 RGB, got \(40, 50, 3\) float64'):
        draw(flat(0, 0, 0) / 255, mask)


def test_alpha_out_of_range(mask):
    with pytest.raises(ValueError, match=r'alpha must be in \[0, 1\], got 2'):
        overlay_mask(flat(0, 0, 0), mask, alpha=2)


def test_a_cut_out_has_the_mask_as_alpha_and_nothing_of_what_is_far(mask):
    scene = flat(10, 20, 30)
    cut = cut_out(scene, 3 * mask, margin=4)
    np.testing.assert_array_equal(cut[..., 3], 255 * mask)
    assert cut[20, 20].tolist() == [10, 20, 30, 255]
    assert cut[6, 6].tolist() == [10, 20, 30, 0] and cut[5, 5].tolist() == [0, 0, 0, 0]
    assert scene.any(), 'left as it is'
