import cv2
import numpy as np
import pytest
from sources.masks_drawn import COLORS, SIZE, blocks, disc, scene, smoothed

from tempseg_mm.sources.mask_structure import (
    centres,
    flat_colors,
    flat_values,
    histogram,
    in_regions,
    is_patchwork,
    is_picture,
    is_smooth_ramp,
    ring_levels,
    without_shades,
)


@pytest.mark.parametrize('levels', [disc(), disc() * 0, disc(1), blocks(25), disc() | np.uint8(1)])
def test_histogram(levels):
    np.testing.assert_array_equal(histogram(levels), np.bincount(levels.ravel(), minlength=256))


def test_squares_of_equal_pixels():
    index = np.array([[1, 1, 2, 0], [1, 1, 2, 0], [2, 2, 2, 0]])
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(in_regions(index), expected)
    assert not in_regions(np.ones((1, 5))).any()


def test_regions_are_flat_and_rings_are_not():
    levels = disc(200, 20)
    levels[disc(1, 20) != cv2.erode(disc(1, 20), np.ones((3, 3)))] = 90
    found = flat_values(levels, 256)
    assert found[[0, 200]].all() and not found[90]
    assert np.flatnonzero(ring_levels(levels, found)).tolist() == [90]
    line = disc(200, 10)
    line[55] = 90  # thin, but beside nothing higher
    assert not ring_levels(line, flat_values(line, 256)).any()


def test_values_close_to_a_more_frequent_one_are_that_one():
    values, pixels = np.array([[0], [5], [250], [255], [120]]), np.array([90, 3, 4, 50, 20])
    assert centres(values, pixels).tolist() == [0, 3, 4]


@pytest.mark.parametrize('levels, expected', [
    (np.linspace(0, 255, 80).astype(np.uint8)[None].repeat(60, 0), False),  # steps of 3
    (np.linspace(0, 255, 300).astype(np.uint8)[None].repeat(60, 0), True), (blocks(255, (480, 640)), False),
    (disc() * 0, False)])
def test_smooth_ramps(levels, expected):
    assert is_smooth_ramp(levels) == expected


@pytest.mark.parametrize('levels, expected', [
    (scene()[..., 0], True), (disc(), False), (smoothed(disc()), False), (cv2.GaussianBlur(disc(), (0, 0), 6), False),
    (np.linspace(0, 255, 300).astype(np.uint8)[None].repeat(60, 0), False)])
def test_pictures(levels, expected):
    assert is_picture(levels) == expected
    assert is_patchwork(levels) == expected or not expected


def test_shades_go_to_the_nearer_colour():
    ids = disc(1, 15, (25, 30)) + disc(2, 15, (58, 30))
    colors = smoothed(COLORS[ids])
    table, index = np.unique(colors.reshape(-1, 3), axis=0, return_inverse=True)
    mended = without_shades(index.reshape(SIZE).astype(np.uint8), table)
    assert len(np.unique(mended)) == 3
    assert (table[mended] == COLORS[ids]).all(-1).mean() > 0.97
    assert without_shades(ids, COLORS) is ids


@pytest.mark.parametrize('damage', [
    smoothed, lambda rgb: cv2.imdecode(cv2.imencode('.jpg', rgb, [cv2.IMWRITE_JPEG_QUALITY, 80])[1], 1)])
def test_flat_colours_of_damaged_masks(damage):
    ids = disc(1, 15, (25, 30)) + disc(2, 15, (58, 30))
    index, colors = flat_colors(damage(COLORS[ids]))
    assert len(colors) == 3
    found = colors[index].astype(int)
    assert (np.abs(found - COLORS[ids]).max(-1) < 30).mean() > 0.95


def test_pictures_have_no_flat_colours():
    assert flat_colors(scene()) is None
    tinted = scene()
    tinted[disc() > 0] = tinted[disc() > 0] // 2 + np.array([128, 0, 0], np.uint8)
    assert flat_colors(tinted) is None


@pytest.mark.parametrize('lightest', [160, 220])
@pytest.mark.parametrize('around', [0, 255])
def test_a_photograph_cut_out_on_an_even_background_is_a_picture(lightest, around):
    shade = np.linspace(60, lightest, SIZE[0])[:, None, None].repeat(SIZE[1], 1) * (1, 0.8, 0.6)
    photograph = (shade + np.random.default_rng(0).normal(0, 8, shade.shape)).clip(1, 255).astype(np.uint8)
    assert flat_colors(np.where(disc()[..., None] > 0, photograph, np.uint8(around))) is None
