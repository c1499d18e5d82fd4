import os
import struct
import tracemalloc
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from tempseg_mm.sources.image_io import (
    UnreadableImageError,
    image_header,
    image_size,
    opened_image,
    read_image,
    to_rgb8,
    verify_image,
)
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import decode_mask

IDS = np.array([[0, 1, 2], [2, 0, 1]], np.uint8)


def read_mask(path):
    return MaskReader().read(path).ids


READERS = [image_size, read_image, verify_image, decode_mask, read_mask]
RGB = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


def test_image_is_rgb(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.png', pixels)), pixels)


def test_gray_image_gets_three_channels(tmp_path):
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.png', IDS)), np.dstack([IDS] * 3))


@pytest.mark.parametrize('size', [None, (48, 64), (49, 66), (24, 33), (12, 16), (7, 9), (200, 300), 60])
@pytest.mark.parametrize('stored', [(97, 131), (96, 136), (100, 134)])
def test_reduced_decoding_agrees_with_full(tmp_path, size, stored):
    noise = np.random.default_rng(0).uniform(0, 255, (*stored, 3)).astype(np.float32)
    pixels = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    jpeg = str(tmp_path / 'a.jpg')
    Image.fromarray(pixels).save(jpeg, quality=98, subsampling=0)
    png = save(tmp_path / 'a.png', pixels)
    small, full = read_image(jpeg, size), read_image(png, size)
    assert small.shape == full.shape and small.dtype == np.uint8
    assert np.abs(small.astype(int) - full).mean() < 4  # 10 with rounded-up sides; a grey level or two for JPEG


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'tif'])
@pytest.mark.parametrize('turn', range(1, 9))
def test_pictures_are_upright_whatever_exif_says(tmp_path, suffix, turn):
    exif, path = Image.Exif(), tmp_path / f'a.{suffix}'
    exif[0x0112] = turn
    pixels = np.zeros((64, 160, 3), np.uint8)
    pixels[:16, :32], pixels[48:, 128:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(path, exif=exif, **dict(quality=95) if suffix == 'jpg' else {})
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert('RGB'))
    image_header.cache_clear()
    assert image_size(str(path)) == expected.shape[:2]
    np.testing.assert_allclose(read_image(str(path)), expected, atol=3)
    small = read_image(str(path), (expected.shape[0] // 4, expected.shape[1] // 4))  # JPEG: decoded reduced
    np.testing.assert_allclose(small[2:-2:6, 2:-2:6], expected[10:-6:24, 10:-6:24], atol=40)
    with opened_image(str(path), 'mask') as image:
        np.testing.assert_allclose(np.asarray(image), expected, atol=3)


@pytest.mark.parametrize('read', READERS)
def test_missing_and_unreadable(tmp_path, read):
    with pytest.raises(FileNotFoundError, match='none.png does not exist'):
        read(str(tmp_path / 'none.png'))
    bad = tmp_path / 'bad.png'
    bad.write_bytes(b'\x89PNG\r\n\x1a\n not really')
    with pytest.raises(UnreadableImageError, match='bad.png cannot be decoded'):
        read(str(bad))


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_truncated_body(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f'cut{suffix}'
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(UnreadableImageError, match='cut.* cannot be decoded'):
        read_image(str(path))
    with pytest.raises(UnreadableImageError, match='cut.* cannot be decoded'):
        MaskReader().read(str(path))


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_verification_reads_to_the_end(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    path = save(tmp_path / f'a.{suffix}', pixels)
    verify_image(path)
    whole = (tmp_path / f'a.{suffix}').read_bytes()
    (tmp_path / f'a.{suffix}').write_bytes(whole[:-40])
    with pytest.raises(UnreadableImageError, match=f'a.{suffix} cannot be decoded .*truncated'):
        verify_image(path)
    with pytest.raises(FileNotFoundError, match='gone.png does not exist'):
        verify_image(str(tmp_path / 'gone.png'))


def png(path, width, height):
    """A PNG of 68 bytes with any values in its header and a right checksum."""
    header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    data = b'IDAT' + zlib.compress(b'\0\0')
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(chunk) - 4) + chunk + struct.pack('>I', zlib.crc32(chunk))
        for chunk in (header, data, b'IEND')))
    return str(path)


@pytest.mark.parametrize('read', READERS)
@pytest.mark.parametrize('width, height', [(8193, 8192), (30_000, 30_000), (2 ** 31 - 1, 2 ** 31 - 1)])
def test_no_memory_is_taken_for_what_a_header_claims(tmp_path, read, width, height):
    path = png(tmp_path / 'bomb.png', width, height)
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', Image.DecompressionBombWarning)
        with pytest.raises(UnreadableImageError, match=r'bomb\.png cannot be decoded \(.*pixels'):
            read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
    assert decode_mask(png(tmp_path / 'small.png', 1, 1)).pixels.tolist() == [[0]]


@pytest.mark.parametrize('read', READERS)
def test_formats_that_run_programs_are_not_opened(tmp_path, read):
    path = tmp_path / 'a.png'  # PostScript, for which Pillow would start Ghostscript
    Image.new('RGB', (4, 4)).save(path, format='EPS')
    with Image.open(path) as image:
        assert image.format == 'EPS'
    with pytest.raises(UnreadableImageError, match='a.png cannot be decoded'):
        read(str(path))


def test_a_name_that_is_no_text(tmp_path):
    """OpenCV 5 itself ends the process with a segmentation fault."""
    path = save(tmp_path / 'a.png', IDS)
    os.rename(path, str(tmp_path / 'caf\udce9.png'))
    path = str(tmp_path / 'caf\udce9.png')
    assert image_size(path) == (2, 3)
    np.testing.assert_array_equal(read_image(path), np.dstack([IDS] * 3))
    np.testing.assert_array_equal(decode_mask(path).pixels, IDS)


def test_layouts():
    assert np.shares_memory(to_rgb8(RGB), RGB)
    np.testing.assert_array_equal(to_rgb8(RGB), RGB)
    np.testing.assert_array_equal(to_rgb8(np.dstack([RGB, RGB[..., :1]])), RGB)  # alpha is left out
    for gray in (RGB[..., 1], RGB[..., 1:2]):
        np.testing.assert_array_equal(to_rgb8(gray), np.dstack([RGB[..., 1]] * 3))
    assert to_rgb8(RGB[:, ::-1]).flags.c_contiguous


def test_sixteen_bits_are_rounded():
    values = np.array([[0, 128, 129, 385, 386, 65535, 65407, 65406]], np.uint16)
    np.testing.assert_array_equal(to_rgb8(values)[0, :, 0], np.round(values[0] / 257))
    assert to_rgb8(values)[0, :, 0].tolist() == [0, 0, 1, 1, 2, 255, 255, 254]


@pytest.mark.parametrize('image, words', [
    (RGB / 255, r'frame 3 must hold uint8, .* got float64: .* \(image \* 255\).round\(\).astype\(np.uint8\)'),
    (RGB.astype(int), r'got int64: .* pass image.astype\(np.uint8\)'),
    (RGB > 4, 'got bool'),
    (np.zeros((3, 2, 5), np.uint8), r'got the shape \(3, 2, 5\): image.transpose\(1, 2, 0\)'),
    (RGB[..., :2], r'got the shape \(2, 4, 2\)$'),
    (RGB[0, 0], r'got the shape \(3,\)$'),
    (np.zeros((0, 4, 3), np.uint8), r'got the shape \(0, 4, 3\)'),
    ([[1]], 'frame 3 must be an array of numpy.* got list'),
])
def test_what_is_no_picture(image, words):
    with pytest.raises(ValueError, match=words):
        to_rgb8(image, 'frame 3')
