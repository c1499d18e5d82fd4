import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.runtime.content_digest import changed_files, file_digest


@pytest.fixture
def picture(tmp_path):
    """Writes a picture of noise, by seed, in the format of its name; ``spot`` is one pixel that differs."""
    def write(name, seed=0, spot=None, size=(240, 320)):
        pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
        if spot is not None:
            pixels[spot] ^= 255
        Image.fromarray(pixels).save(tmp_path / name)
        return tmp_path / name
    return write


def test_neither_time_nor_place_matters(picture, tmp_path):
    path = picture('a.png')
    digest = file_digest(path)
    os.utime(path, (1, 1))
    shutil.copy(path, tmp_path / 'b.png')
    assert file_digest(path) == file_digest(tmp_path / 'b.png') == digest and len(digest) == 16


@pytest.mark.parametrize('name', ['a.png', 'a.bmp', 'a.jpg', 'a.tif'])
def test_content_matters_whatever_size_and_time(picture, name):
    times = (1e9, 1e9)
    path = picture(name)
    os.utime(path, times)
    before = file_digest(path), path.stat().st_size
    picture(name, seed=1)
    os.utime(path, times)
    assert file_digest(path) != before[0]
    picture(name)
    assert file_digest(path) == before[0]


@pytest.mark.parametrize('spot', [(0, 0), (120, 160), (239, 319)])
def test_one_pixel_of_a_large_compressed_file_matters(picture, spot):
    path = picture('a.png', size=(480, 640))
    assert path.stat().st_size > 2 ** 19  # only a part of it is looked at
    before = file_digest(path)
    assert file_digest(picture('a.png', spot=spot, size=(480, 640))) != before


@pytest.mark.parametrize('place', [0, 3000, -1])
def test_of_a_large_file_blocks_are_looked_at(tmp_path, place):
    content = bytearray(2 ** 16)
    (tmp_path / 'a').write_bytes(content)
    before = file_digest(tmp_path / 'a', most=2 ** 15)
    content[place] = 1
    (tmp_path / 'a').write_bytes(content)
    assert (file_digest(tmp_path / 'a', most=2 ** 15) == before) == (place == 3000)  # between the first two blocks
    (tmp_path / 'a').write_bytes(bytes(2 ** 16 + 1))
    assert file_digest(tmp_path / 'a', most=2 ** 15) != before


@pytest.mark.parametrize('now, words', [
    (dict(a='1', b='2'), ''), (dict(a='1', b='2', c='3'), ''), (dict(a='1', b='9'), 'b is changed'),
    (dict(a='8', b='9'), 'a and 1 more are changed'), (dict(a='1'), 'b is missing now'),
    (dict(b='9'), 'b is changed; a is missing now'), (dict(a='1', x='3', b='2'), 'x is new or has moved among them'),
    (dict(b='2', a='1'), 'b is new or has moved among them'), ({}, 'a and 1 more are missing now')])
def test_what_became_of_files(now, words):
    assert changed_files(dict(a='1', b='2'), now) == words
