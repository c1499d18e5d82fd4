import numpy as np
import pytest
import torch
from PIL import Image

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.given_frames import mask_paths, place_masks
from tempseg_mm.sources.given_masks import read_given_masks
from tempseg_mm.sources.mask_files import MaskReader

SHAPE = (8, 12)


def square(x, dtype=bool):
    mask = np.zeros(SHAPE, dtype)
    mask[2:6, x:x + 3] = True
    return mask


def read(masks, **options):
    notices = Notices()
    given = read_given_masks(masks, SHAPE, reader=MaskReader(notices), **options)
    return {mask.frame_id: mask.labels for mask in given}, list(notices)


@pytest.mark.parametrize('masks', [
    [square(0), square(4), square(8)], [dict(segmentation=square(x), area=12) for x in (0, 4, 8)],
    {0: [square(0), square(4), square(8)]}, {0: [square(x, np.uint8) * 255 for x in (0, 4, 8)]},
    {0: [dict(segmentation=square(x)) for x in (0, 4, 8)]},
])
def test_objects_of_one_frame(masks):
    found, notices = read(masks)
    expected = square(0) + 2 * square(4) + 3 * square(8)
    np.testing.assert_array_equal(found[0], expected)
    assert list(found) == [0]
    if isinstance(masks, list):
        assert notices == ['3 masks were taken for objects 1 to 3 of frame 0, because they come from SAM or do not '
                           'overlap; {0: mask, 1: mask} makes them masks of several frames']


def test_objects_of_one_frame_from_files(tmp_path):
    paths = []
    for x in (0, 4):
        paths.append(tmp_path / f'{x}.png')
        Image.fromarray(square(x, np.uint8) * 255).save(paths[-1])
    np.testing.assert_array_equal(read({3: paths})[0][3], square(0) + 2 * square(4))


@pytest.mark.parametrize('masks', [
    [square(0), square(1), square(2)], [square(0, np.uint8), square(4, np.uint8)], {0: square(0), 1: square(4)}])
def test_masks_of_several_frames(masks):
    found, notices = read(masks)
    assert list(found) == list(range(len(masks)))
    if isinstance(masks, list):
        assert 'masks without a frame were taken in their order: mask for frame 0; mask for frame 1' in notices[0]
        assert '({frame: [mask, mask]})' in notices[0]
    else:
        assert notices == []


def test_overlaps_are_told():
    found, notices = read({0: [square(0), square(2)]})
    assert found[0][3, 2] == 2 and 'objects of frame 0 overlap in 4 pixels' in notices[0]


@pytest.mark.parametrize('masks, message', [
    ([dict(segmentation=dict(size=[8, 12], counts='x'))], 'objects of a frame must be arrays or files.*binary_mask'),
    ({0: []}, '1 to 255 objects, got 0'), ({0: [square(0), np.ones((3, 3), bool)]}, 'differ in size: object 2 is 3x3'),
    ([None], 'got NoneType'),
])
def test_what_is_no_mask(masks, message):
    with pytest.raises(ValueError, match=message):
        read(masks)


def test_names_decide(tmp_path):
    paths = [tmp_path / '00005_mask.png', tmp_path / 'first.png']
    for path in paths:
        Image.fromarray(square(0, np.uint8)).save(path)
    names, notices = FrameNames([f'{i:05d}' for i in range(1, 9)], num_frames=8), Notices()
    placed = place_masks([str(path) for path in paths], names, notices)
    assert [one.frame_id for one in placed] == [4, 0]
    assert [one.frame_id for one in place_masks(f'{paths[1]}@00003', names, notices)] == [2]
    assert [one.frame_id for one in place_masks({2: paths[0]}, names, notices)] == [2]
    assert 'was taken for frame 2 (00003), its key, although it is named like frame 4' in list(notices)[-1]


def test_two_masks_for_one_frame(tmp_path):
    with pytest.raises(ValueError, match=r'two masks for frame 4: mask a/00005.png for frame 4 and mask b/00005.png'):
        place_masks(['a/00005.png', 'b/00005.png'], FrameNames([f'{i:05d}' for i in range(1, 9)]), Notices())


def test_files_among_masks(tmp_path):
    (tmp_path / 'a@7').touch()
    assert mask_paths(['b.png@5', f'{tmp_path}/a@7', square(0)]) == ['b.png', f'{tmp_path}/a@7']
    assert mask_paths('b.png@x') == ['b.png'] and mask_paths({3: tmp_path}) == [str(tmp_path)]
    assert mask_paths(square(0)) == mask_paths(None) == []


def test_an_empty_later_mask():
    empty = np.zeros(SHAPE, bool)
    with pytest.raises(ValueError, match='mask for frame 3 is empty.*If all objects end there, use --ends'):
        read({0: square(0), 3: empty})
    assert not read({0: square(0), 3: empty}, ends=True)[0][3].any()
    with pytest.raises(ValueError, match='mask for frame 0 is empty'):
        read({0: empty, 3: square(0)}, ends=True)


def test_a_mask_that_fits_the_frames_as_stored():
    with pytest.raises(ValueError, match='it fits the frames as they are stored, but their EXIF says that they lie'):
        read(square(0).T.copy(), turned=True)


@pytest.mark.parametrize('wrap', [torch.from_numpy, Image.fromarray, lambda mask: [torch.from_numpy(mask)],
                                  lambda mask: {0: torch.from_numpy(mask)}, lambda mask: {0: Image.fromarray(mask)}])
def test_tensors_and_pictures_are_masks(wrap):
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 1:4] = 1
    found, notices = read(wrap(mask))
    np.testing.assert_array_equal(found[0], mask)
    assert notices == []


def test_tensors_that_are_no_arrays():
    with pytest.raises(ValueError, match='a Tensor given as mask is no array: Can.t call numpy'):
        read(torch.ones(SHAPE, requires_grad=True))
