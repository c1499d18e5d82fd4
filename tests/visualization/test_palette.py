import colorsys

import numpy as np
import pytest

from tempseg_mm.visualization.palette import color_palette, flow_colors, object_colors


@pytest.mark.parametrize('index, color', [
    (0, (0, 0, 0)), (1, (128, 0, 0)), (2, (0, 128, 0)), (3, (128, 128, 0)), (4, (0, 0, 128)), (7, (128, 128, 128)),
    (8, (64, 0, 0)), (20, (0, 64, 128)), (21, (128, 64, 128)), (64, (32, 0, 0)), (255, (224, 224, 192)),
])
def test_the_published_colours(index, color):
    assert tuple(color_palette()[index].tolist()) == color


def test_every_id_has_its_own_colour():
    assert len({tuple(color) for color in color_palette().tolist()}) == 256


def test_objects_have_bright_colours_of_their_own():
    colors = object_colors()
    assert colors.shape == (256, 3) and colors[1].tolist() == [255, 64, 64]
    assert len({tuple(color) for color in colors.tolist()}) == 256
    assert (colors[1:].max(1) >= 140).all()
    first = colors[1:13].astype(int)
    distances = np.abs(first[:, None] - first[None]).sum(-1)
    assert distances[~np.eye(12, dtype=bool)].min() > 70
    with pytest.raises(ValueError, match='read-only'):
        colors[1] = 0


def uniform(x, y):
    return np.tile(np.array([x, y], np.float32), (3, 4, 1))


def hue(colors):
    return colorsys.rgb_to_hsv(*(colors[0, 0] / 255))[0] * 360


def saturation(colors):
    return 1 - colors.min(-1)[0, 0] / 255


def test_nothing_moves_is_white():
    for max_flow in (None, 5.0):
        colors = flow_colors(uniform(0, 0), max_flow=max_flow)
        assert colors.shape == (3, 4, 3) and colors.dtype == np.uint8
        assert (colors == 255).all()


@pytest.mark.parametrize('vector, expected', [((4, 0), 0), ((0, 4), 60), ((-4, 0), 190), ((0, -4), 270)])
def test_direction_is_hue(vector, expected):
    """The Middlebury wheel: right is red, down yellow, left cyan, up violet."""
    difference = (hue(flow_colors(uniform(*vector), max_flow=4)) - expected + 180) % 360 - 180
    assert abs(difference) < 25


def test_length_is_saturation_on_the_given_scale():
    assert saturation(flow_colors(uniform(2, 0), max_flow=4)) == pytest.approx(0.5, abs=0.02)
    assert saturation(flow_colors(uniform(4, 0), max_flow=4)) == pytest.approx(1, abs=0.02)
    assert saturation(flow_colors(uniform(2, 0))) == pytest.approx(1, abs=0.02)


def test_longer_vectors_are_shown_as_the_longest():
    assert np.array_equal(flow_colors(uniform(30, 40), max_flow=5), flow_colors(uniform(3, 4), max_flow=5))


def test_one_long_vector_does_not_bleach_the_others():
    flow = uniform(2, 1)
    expected = flow_colors(flow, max_flow=5)
    flow[2, 3] = (500, 0)
    assert np.array_equal(flow_colors(flow, max_flow=5)[:2], expected[:2])


@pytest.mark.parametrize('unknown', [np.nan, np.inf, 1e9])
@pytest.mark.parametrize('max_flow', [None, 3])
def test_unknown_flow_is_black_and_spoils_no_other(unknown, max_flow):
    flow = uniform(1, 2)
    expected = flow_colors(flow, max_flow=max_flow)
    flow[1, 2, 0] = unknown
    colors = flow_colors(flow, max_flow=max_flow)
    assert (colors[1, 2] == 0).all()
    expected[1, 2] = 0
    assert np.array_equal(colors, expected)


def test_the_flow_is_left_as_it_is():
    flow = uniform(30, 40)
    flow_colors(flow, max_flow=1)
    assert np.array_equal(flow, uniform(30, 40))


def test_whole_numbers_are_flow_too():
    assert np.array_equal(flow_colors(uniform(3, 4).astype(int)), flow_colors(uniform(3, 4)))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r'flow must be \(H, W, 2\), got \(2, 3, 4\)'):
        flow_colors(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match='max_flow must be positive'):
        flow_colors(uniform(0, 0), max_flow=0)
