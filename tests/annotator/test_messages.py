"""Received content is accepted, or refused with a sentence, before it can do harm."""

import io
import struct
import zlib

import numpy as np
import pytest
from annotator.small_page import png
from PIL import Image

from tempseg_mm.annotator import messages

SIZE = (6, 8)
LABELS = np.arange(48, dtype=np.uint8).reshape(SIZE) % 3


def saved(picture, kind='PNG', **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def palette_png():
    picture = Image.fromarray(LABELS)
    picture.putpalette([0, 0, 0, 200, 0, 0, 0, 0, 250])
    return saved(picture)


def bomb(width=30000, height=30000):
    """A PNG of a few hundred bytes whose header claims gigabytes."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'\0' * 9999))
            + chunk(b'IEND', b''))


@pytest.mark.parametrize('data', [
    png(LABELS), palette_png(), png(np.dstack([LABELS, 9 - LABELS, LABELS])),
    png(np.dstack([LABELS, LABELS * 0, LABELS, LABELS * 0 + 255])),
], ids=['gray', 'palette', 'RGB', 'RGBA'])
def test_ids_are_gray_indices_or_red(data):
    np.testing.assert_array_equal(messages.ids_of(data, SIZE), LABELS)


@pytest.mark.parametrize('data, words', [
    (b'', 'cannot be read as PNG'), (b'GIF89a', 'cannot be read as PNG'), (png(LABELS)[:-30], 'cannot be read'),
    (bomb(), 'cannot be read as PNG'),
    (bomb(9000, 9000), 'must have the size of the frames, 8x6 pixels .*, got 9000x9000'),
    (bomb(*SIZE), 'got 6x8'),
    (saved(Image.fromarray(LABELS), 'JPEG'), 'as PNG'),
    (saved(Image.fromarray(LABELS.astype(np.uint16) * 300)), '8 bits per channel'),
    (saved(Image.fromarray(LABELS > 0)), '8 bits per channel'),
    (png(np.dstack([LABELS] * 4)), 'opaque'),
    (saved(Image.fromarray(LABELS), save_all=True, append_images=[Image.fromarray(LABELS + 1)]), 'one picture'),
])
def test_what_is_no_mask_of_the_page(data, words):
    with pytest.raises(ValueError, match=words):
        messages.ids_of(data, SIZE)


@pytest.mark.parametrize('data, expected', [
    (saved(Image.fromarray(np.where(LABELS > 1, 255, 0).astype(np.uint8)), 'BMP'), LABELS > 1),
    (palette_png(), LABELS), (saved(Image.fromarray(LABELS > 0), 'TIFF'), LABELS > 0),
])
def test_masks_of_people_are_read_as_the_commands_read_them(data, expected):
    np.testing.assert_array_equal(messages.mask_of_a_person(data, SIZE), expected)


def test_masks_of_people_that_say_nothing():
    photo = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    for data in (saved(Image.fromarray(photo)), bomb(), b'x', png(LABELS[:4])):
        with pytest.raises(ValueError):
            messages.mask_of_a_person(data, SIZE)


@pytest.mark.parametrize('text', [None, 7, 'ä', 'a', '=', '%%%%'])
def test_what_is_no_base64(text):
    with pytest.raises(ValueError, match='PNG in base64'):
        messages.ids_of_base64(text, SIZE)


def test_clicks():
    assert messages.clicks_of(None, SIZE) == []
    assert messages.clicks_of([dict(x=0, y=5.99, inside=True), dict(x=7, y=0, inside=False, more=1)], SIZE) == [
        (0, 5, True), (7, 0, False)]
    for wrong in (7, {}, [7], [{}], [dict(x=1, y=1)], [dict(x=1, y=1, inside=1)], [dict(x=8, y=1, inside=True)],
                  [dict(x=-0.1, y=1, inside=True)], [dict(x=float('nan'), y=1, inside=True)],
                  [dict(x=True, y=1, inside=True)], [dict(x='1', y=1, inside=True)],
                  [dict(x=1, y=1, inside=True)] * (messages.MOST_CLICKS + 1)):
        with pytest.raises(ValueError, match='click'):
            messages.clicks_of(wrong, SIZE)


def test_boxes_are_cut_at_the_border():
    assert messages.box_of(None, SIZE) is None
    assert messages.box_of([1.7, 2, 3.2, 2.5], SIZE) == (1, 2, 4, 3)
    assert messages.box_of([-5, -5, 100, 100], SIZE) == (0, 0, 8, 6)
    for wrong in ([], {}, 'box', [1, 2, 3], [1, 2, 3, None], [1, 2, 3, True], [1, 2, 0, 3], [8, 0, 3, 3], [-4, 0, 3, 3],
                  [float('nan')] * 4, [1e300, 0, 1, 1]):
        with pytest.raises(ValueError, match='box'):
            messages.box_of(wrong, SIZE)


def test_words_and_numbers():
    assert messages.plain_text(' dog ', 'name') == 'dog'
    for wrong in (None, 7, 'x' * 101, 'a\nb', '\x1b[2J'):
        with pytest.raises(ValueError, match='name must be one line of text'):
            messages.plain_text(wrong, 'name')
    for wrong in (None, True, 1.0, '1', []):
        with pytest.raises(ValueError, match='frame must be a whole number'):
            messages.whole_number(wrong, 'frame')


def test_pictures_that_go_out():
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(messages.png_of(LABELS)))), LABELS)
    image = np.full((16, 16, 3), (250, 100, 20), np.uint8)
    np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(messages.jpeg_of(image)))), image, atol=6)
