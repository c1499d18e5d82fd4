"""Damaged frames and masks: a right answer or an error that names the file, and nothing else."""

import io
import warnings

import numpy as np
import pytest
from fuzz.damage import budget, damaged, with_checksums
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from tempseg_mm.sources.image_io import image_header, image_size, read_image, verify_image
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import decode_mask
from tempseg_mm.visualization.exporters import write_indexed_png

LEVELS = np.random.default_rng(0).integers(0, 3, (24, 32), np.uint8)
COLOURS = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
MOST_WARNINGS = 3  # of Pillow, for one file


def encoded(pixels, kind, palette=None, **options):
    image, file = Image.fromarray(pixels), io.BytesIO()
    if palette:
        image.putpalette(palette)
    image.save(file, format=kind, **options)
    return file.getvalue()


FRAMES = [encoded(COLOURS, 'JPEG'), encoded(COLOURS, 'JPEG', progressive=True), encoded(COLOURS, 'PNG'),
          encoded(COLOURS, 'BMP'), encoded(COLOURS, 'WEBP'), encoded(COLOURS, 'PPM')]
MASKS = [encoded(LEVELS, 'PNG'), encoded(LEVELS > 0, 'PNG'), encoded(LEVELS, 'PNG', [0, 0, 0, 128, 0, 0, 0, 128, 0]),
         encoded(LEVELS.astype(np.uint16) * 999, 'PNG'), encoded(np.dstack([COLOURS, LEVELS]), 'PNG'),
         encoded(LEVELS, 'BMP'), encoded(LEVELS * 100, 'JPEG')]


def attempt(read, path):
    """What it reads, or ``None`` where it refuses as it should."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        try:
            return read(str(path))
        except (OSError, ValueError) as error:
            assert str(path) in str(error)
            return None
        finally:
            assert len(said) <= MOST_WARNINGS


def written(folder, content, suffix):
    image_header.cache_clear()  # each example is another file of one name
    path = folder / f'a{suffix}'
    path.write_bytes(content)
    return path


@budget(200)
@given(content=damaged(FRAMES), suffix=st.sampled_from(['.jpg', '.png']))
def test_frames(tmp_path, content, suffix):
    path = written(tmp_path, content, suffix)
    size = attempt(image_size, path)
    frame = attempt(read_image, path)
    small = attempt(lambda path: read_image(path, (12, 16)), path)
    attempt(verify_image, path)
    if frame is not None:
        assert frame.dtype == np.uint8 and frame.shape == (*size, 3)
    if small is not None:
        assert small.dtype == np.uint8 and small.shape == (12, 16, 3)


@budget(200)
@given(content=damaged(MASKS))
def test_masks(tmp_path, content):
    path = written(tmp_path, content, '.png')
    size = attempt(image_size, path)
    stored, labels = attempt(decode_mask, path), attempt(MaskReader().read, path)
    assert stored is None or stored.pixels.shape[:2] == size and stored.above(127).max(initial=0) <= 1
    assert labels is None or labels.ids.dtype == np.uint8 and labels.ids.shape == size


@budget(50)
@given(content=st.binary(max_size=200), start=st.sampled_from(['', 'BM', 'P6 ', 'RIFF', '%!PS', 'GIF89a']))
def test_no_image_at_all(tmp_path, content, start):
    path = written(tmp_path, start.encode() + content, '.png')
    for read in (image_size, read_image, verify_image, decode_mask, MaskReader().read):
        attempt(read, path)


@budget(60)
@given(mask=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_masks_are_read_as_they_were_written(tmp_path, mask):
    path = tmp_path / 'a.png'
    image_header.cache_clear()
    write_indexed_png(path, mask)
    assert image_size(str(path)) == mask.shape
    np.testing.assert_array_equal(decode_mask(path).pixels, mask)


def test_the_damage_gets_past_the_checksums(tmp_path):
    """Else the tests above would only try the first lines of the decoder."""
    broken = bytearray(MASKS[0])
    broken[19] = 33  # the width, which was 32
    with pytest.raises(OSError, match='cannot be decoded'):
        image_size(str(written(tmp_path, broken, '.png')))
    assert image_size(str(written(tmp_path, with_checksums(bytes(broken)), '.png'))) == (24, 33)
    assert with_checksums(MASKS[0]) == MASKS[0]
