import cv2
import numpy as np
import pytest
from PIL import Image
from sources.masks_drawn import COLORS, SIZE, blocks, cut_out, davis_png, disc, save, scene, smoothed

from tempseg_mm.sources.mask_regions import regions_of
from tempseg_mm.sources.stored_mask import MaskValueError, StoredMask, stored_mask


def read(mask):
    return regions_of(stored_mask(mask))


TWO = disc(1, 12, (20, 30)) + disc(2, 12, (60, 30))
HALF = np.arange(80) < 40
FADE = np.linspace(0, 1, 80)[None].repeat(60, 0)


@pytest.mark.parametrize('pixels, notes', [
    (disc() > 0, ()), (disc(255), ()), (disc() * np.uint16(257), ()), (disc().astype(np.uint16) * 4, ()),
    (np.dstack([disc()] * 3), ()), (np.dstack([disc(), np.full(SIZE, 255, np.uint8)]), ()),
    (np.dstack([disc()] * 3 + [np.full(SIZE, 128, np.uint8)]), ()),  # alpha that says nothing
    ((disc() > 0).astype(np.float32), ()), (disc().astype(float), ()),
    (cut_out(disc(), np.full((*SIZE, 3), 255, np.uint8)), ('cut-out',)), (cut_out(disc(), scene()), ('cut-out',)),
    (np.dstack([scene(), disc() // 2]), ('cut-out',)), (np.dstack([np.full(SIZE, 77, np.uint8), disc()]), ('cut-out',)),
], ids=str)
def test_one_object_without_a_number(pixels, notes):
    found = read(pixels)
    assert found.kind == 'object' and found.void is None and len(found.notes) == len(notes)
    assert all(word in note for word, note in zip(notes, found.notes, strict=True))
    np.testing.assert_array_equal(found.index, disc() > 0)


@pytest.mark.parametrize('damage', [
    smoothed, lambda mask: cv2.GaussianBlur(mask, (0, 0), 4), lambda mask: cv2.GaussianBlur(mask, (0, 0), 12),
    lambda mask: smoothed(mask) // 2, lambda mask: np.dstack([smoothed(mask)] * 3),
    lambda mask: smoothed(mask) * np.uint16(257), lambda mask: smoothed(mask).astype(np.float32),
    lambda mask: smoothed(mask) / np.float32(255)])
def test_soft_edges_of_one_object(damage):
    found = read(damage(disc(radius=24)))
    assert found.kind == 'object' and len(found.notes) == 1 and 'half of the largest' in found.notes[0] + \
        found.notes[0].replace('0.5 or more', 'half of the largest')
    expected = disc(radius=24) > 0
    assert np.logical_and(found.index, expected).sum() > 0.8 * np.logical_or(found.index, expected).sum()


@pytest.mark.parametrize('quality', [50, 75, 95])
@pytest.mark.parametrize('channels', [1, 3])
def test_a_jpeg_of_one_object(tmp_path, quality, channels):
    mask = disc() if channels == 1 else np.dstack([disc()] * 3)
    found = read(save(tmp_path / 'a.jpg', mask, quality=quality))
    assert found.kind == 'object' and 'soft edges' in found.notes[0]
    assert (found.index == (disc() > 0)).mean() > 0.99


@pytest.mark.parametrize('ids', [
    TWO, TWO * 100, blocks(25), blocks(25) * 10, blocks(200, (480, 640)), disc(7), disc(200), disc(0), disc(1)],
    ids=lambda ids: f'{len(np.unique(ids)) - 1} to {ids.max()}')
@pytest.mark.parametrize('encode', [
    lambda ids, path: ids, lambda ids, path: ids.astype(np.int64), lambda ids, path: ids.astype(float),
    lambda ids, path: ids[..., None], lambda ids, path: save(path, ids), lambda ids, path: davis_png(path, ids),
    lambda ids, path: save(path, ids.astype(np.uint16)), lambda ids, path: np.save(path.with_suffix('.npy'), ids)
    or path.with_suffix('.npy')])
def test_ids_in_any_encoding(tmp_path, ids, encode):
    found = read(encode(ids, tmp_path / 'a.png'))
    assert found.kind == 'ids' or not ids.any() or ids.max() == 1
    assert found.notes == () and found.void is None
    np.testing.assert_array_equal(found.index, ids)


def test_255_beside_ids_is_void(tmp_path):
    pixels = np.where(disc(1, 25) > TWO, 255, TWO).astype(np.uint8)
    for mask in (pixels, davis_png(tmp_path / 'a.png', pixels), pixels.astype(np.int32), pixels.astype(float)):
        found = read(mask)
        np.testing.assert_array_equal(found.index, TWO)
        np.testing.assert_array_equal(found.void, pixels == 255)
        assert 'taken as void' in found.notes[0]
    assert read(np.where(pixels == 2, 100, pixels).astype(np.uint8)).void is None  # levels, not ids


def test_255_alone_is_remembered(tmp_path):
    assert read(disc()).only_255 == 'gray' and read(davis_png(tmp_path / 'a.png', disc())).only_255 == 'palette'
    assert read(disc() > 0).only_255 == read(disc(1)).only_255 == ''


PALETTES = {
    'its own': [(0, 0, 0), (9, 200, 30), (250, 250, 250)],
    'white where it is 0': [(255, 255, 255), (9, 9, 200), (0, 99, 0)],
}


@pytest.mark.parametrize('palette', PALETTES.values(), ids=PALETTES)
def test_palettes_hold_ids_where_0_is_the_background(tmp_path, palette):
    found = read(save(tmp_path / 'a.png', TWO, palette))
    assert found.kind == 'ids' and len(found.notes) == (palette[0] != (0, 0, 0))
    np.testing.assert_array_equal(found.index, TWO)


@pytest.mark.parametrize('make', [lambda image: image.quantize(), lambda image: image.convert('P'),
                                  lambda image: image.quantize(8).convert('PA')])
def test_palettes_in_any_order_are_read_by_colour(tmp_path, make):
    colors = COLORS[TWO]
    make(Image.fromarray(colors)).save(tmp_path / 'a.tif')
    found = read(tmp_path / 'a.tif')
    np.testing.assert_array_equal(found.colors[found.index], colors)


def test_palettes_of_shades(tmp_path):
    path = tmp_path / 'a.png'
    Image.fromarray(np.dstack([smoothed(disc())] * 3)).quantize(16).save(path)
    found = read(path)
    assert found.kind == 'object' and (found.index == (smoothed(disc()) >= 128)).mean() > 0.98


def test_transparent_entries_of_palettes(tmp_path):
    path = save(tmp_path / 'a.png', TWO, PALETTES['its own'], transparency=0)
    np.testing.assert_array_equal(read(path).index, TWO)
    path = save(tmp_path / 'b.png', np.where(TWO == 0, 2, TWO - 1).astype(np.uint8),
                [(255, 0, 0), (0, 0, 255), (255, 255, 255)], transparency=2)
    found = read(path)
    np.testing.assert_array_equal(found.colors[found.index], COLORS[TWO])


@pytest.mark.parametrize('encode', [
    lambda rgb, path: rgb, lambda rgb, path: save(path, rgb), lambda rgb, path: save(path.with_suffix('.bmp'), rgb),
    lambda rgb, path: cut_out(TWO, np.where(rgb.any(-1, keepdims=True), rgb, 255)),
    lambda rgb, path: rgb.astype(np.int64),
    lambda rgb, path: save(path.with_suffix('.webp'), rgb, lossless=True)])
def test_flat_colours(tmp_path, encode):
    found = read(encode(COLORS[TWO], tmp_path / 'a.png'))
    assert found.kind == 'colours'
    np.testing.assert_array_equal(found.colors[found.index], COLORS[TWO])


def test_more_flat_colours_than_a_few():
    ids = blocks(25)
    palette = np.random.default_rng(0).integers(1, 255, (26, 3), np.uint8)
    palette[0] = 0
    found = read(palette[ids])
    np.testing.assert_array_equal(found.colors[found.index], palette[ids])


@pytest.mark.parametrize('mask, words', [
    (scene(), 'looks like a picture or an overlay'), (scene()[..., 0], 'looks like a picture'),
    (scene()[..., 0] * np.uint16(257), 'looks like a picture'),
    (np.random.default_rng(0).integers(0, 256, (70, 80), np.uint8), 'looks like a picture'),
    (np.where(disc()[..., None] > 0, scene() // 2 + np.array([120, 0, 0], np.uint8), scene()), 'an overlay'),
    (np.dstack([scene(), 100 + disc() // 2]), 'alpha from 100 to 227, so it is nowhere transparent'),
    (np.array([[0.5, 1.5]]), 'fractions and numbers above 1'), (np.array([[-0.5, 1.0]]), 'negative or non-finite'),
    (np.array([[np.nan, 1.0]]), 'negative or non-finite'), (np.array([[0, 300, 7]]), 'ids from 0 to 300; they must be'),
    (np.array([[-1, 3]]), 'object ids from -1 to 3'), (np.array([['a']]), 'must hold booleans or numbers'),
], ids=str)
def test_what_says_nothing(mask, words):
    with pytest.raises(MaskValueError, match=f'{words}.*; a mask is white on black'):
        read(mask)


def test_a_jpeg_of_ids_is_refused(tmp_path):
    with pytest.raises(MaskValueError, match='is a JPEG of numbers up to .*save it as PNG'):
        read(save(tmp_path / 'a.jpg', TWO * 20))


def test_several_objects_with_soft_edges(tmp_path):
    for mask, count in ((smoothed(TWO * 100), 2), (smoothed(COLORS[TWO]), 2),
                        (save(tmp_path / 'a.jpg', COLORS[TWO]), 2), (save(tmp_path / 'b.jpg', TWO * 100), 2)):
        found = read(mask)
        assert 'went to the nearest flat colour' in found.notes[0]
        values = [value for value in np.unique(found.index) if found.kind == 'ids' or found.colors[value].any()]
        assert len([value for value in values if value]) >= count - (found.kind == 'colours')
        background = found.index == 0 if found.kind == 'ids' else ~found.colors[found.index].any(-1)
        assert (background == (TWO == 0)).mean() > 0.97


@pytest.mark.parametrize('mask, expected', [
    ((FADE * 255).astype(np.uint8), FADE >= 0.5), (FADE, FADE >= 0.5), (FADE.astype(np.float16), FADE >= 0.5)])
def test_probabilities(mask, expected):
    found = read(mask)
    assert found.kind == 'object' and 'robabilities' in found.notes[0] or 'soft' in found.notes[0]
    assert (found.index == expected).mean() > 0.98


def test_the_largest_value_of_the_sequence_counts():
    weak = cv2.GaussianBlur(disc(100), (0, 0), 6)
    assert regions_of(StoredMask(weak)).index.any() and not regions_of(StoredMask(weak), largest=255).index.any()


def test_nothing_to_be_seen():
    found = read(np.dstack([scene(), np.zeros(SIZE, np.uint8)]))
    assert not found.index.any() and 'wholly transparent' in found.notes[0]
