from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.given_masks import read_given_masks

SHAPE = (4, 6)
MASK = np.zeros(SHAPE, np.uint8)
MASK[1:3, 2:5] = 1


def save(path, pixels=MASK):
    Image.fromarray(pixels).save(path)
    return path


def frames(masks, **options):
    return [mask.frame_id for mask in read_given_masks(masks, SHAPE, **options)]


def test_one_mask(tmp_path):
    for masks in (MASK, [MASK], save(tmp_path / 'a.png'), str(tmp_path / 'a.png'), {0: tmp_path / 'a.png'}):
        given, = read_given_masks(masks, SHAPE)
        assert given.frame_id == 0 and given.labels.dtype == np.uint8
        np.testing.assert_array_equal(given.labels, MASK)


def test_which_frames(tmp_path):
    path = str(save(tmp_path / 'ein schöner hund.png'))
    assert frames([path, MASK]) == [0, 1]
    assert frames([path, MASK], names=FrameNames(start=5)) == [5, 6]
    assert frames(f'{path}@7') == [7]
    assert frames([f'{path}@30', path, f'{path}@3', MASK]) == [0, 1, 3, 30]
    assert frames({7: MASK, 3: path, np.int64(5): MASK}) == [3, 5, 7]


def test_an_at_sign_may_belong_to_the_name(tmp_path):
    assert frames(str(save(tmp_path / 'me@home.png'))) == [0]
    assert frames(str(tmp_path / 'me@home.png') + '@2') == [2]
    save(tmp_path / 'a.png')
    (tmp_path / 'a.png').rename(tmp_path / 'a@7')
    assert frames(str(tmp_path / 'a@7')) == [0]
    assert frames(f'{tmp_path}/a@7@9') == [9]
    with pytest.raises(FileNotFoundError, match='b.png@x does not exist'):
        frames('b.png@x')
    with pytest.raises(FileNotFoundError, match='b.png does not exist'):
        frames('b.png@3')


def test_masks_that_do_not_fit_together(tmp_path):
    path = save(tmp_path / 'a.png')
    with pytest.raises(ValueError, match='two masks for frame 1: mask for frame 1 and mask .*a.png for frame 1; '
                                         'put several objects of a frame'):
        frames([MASK, MASK, f'{path}@1'])
    with pytest.raises(ValueError, match='mask .*a.png for frame 3: that frame lies before .*starts at frame 5'):
        frames([f'{path}@3'], names=FrameNames(start=5))
    for none in ([], {}, ()):
        with pytest.raises(ValueError, match='no mask is given'):
            frames(none)
    for wrong, words in (({'0': MASK}, "frame numbers as keys, got '0'"), (7, 'got int'), (iter([MASK]), 'got list_it'),
                         ([None], 'got NoneType')):
        with pytest.raises(ValueError, match=words):
            frames(wrong)


def test_another_size(tmp_path):
    path = save(tmp_path / 'a.png', np.kron(MASK * 3, np.ones((2, 2), np.uint8)))
    with pytest.raises(ValueError, match=r'mask .*a.png for frame 0 is 8x12 \(height x width\), the frames are 4x6\. '
                                         r'--resize-mask \(resize_mask=True\)'):
        frames(path)
    given, = read_given_masks(path, SHAPE, resize=True)
    np.testing.assert_array_equal(given.labels, MASK * 3)
    with pytest.raises(ValueError, match='is 6x4 .*, the frames are 4x6; it is turned by 90 degrees'):
        frames(MASK.T.copy())


def test_an_empty_mask(tmp_path):
    with pytest.raises(ValueError, match='mask for frame 1 is empty, so there is nothing to follow'):
        frames([MASK, MASK * 0])
    with pytest.raises(ValueError, match=f'mask {Path(tmp_path)}/a.png for frame 7 is empty'):
        frames({7: save(tmp_path / 'a.png', MASK * 0)})
    speck = np.zeros((400, 600), np.uint8)
    speck[3, 3] = 1
    with pytest.raises(ValueError, match='is empty'):
        frames(speck, resize=True)


def test_colours_are_compared_across_masks():
    red, green = (np.zeros((*SHAPE, 3), np.uint8) for _ in range(2))
    red[1:3, 1:3, 0], green[1:3, 1:, 1], green[1:3, 1:3] = 255, 255, (255, 0, 0)
    first, second = read_given_masks([red, green], SHAPE)
    assert np.unique(first.labels).tolist() == [0, 1] and np.unique(second.labels).tolist() == [0, 1, 2]
