"""COCO JSON as given masks: through the reader of given masks, as commands and calls have it."""

import json

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.given_masks import read_given_masks
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.visualization.coco_writer import coco_file

SHAPE = (20, 30)
VIDEO = FrameNames(start=2, num_frames=40, sequence='dog')
CATEGORIES = [dict(id=1, name='dog'), dict(id=2, name='cat')]


def image(i, name, **more):
    return dict(id=i, file_name=name, width=30, height=20) | more


def square(i, image_id, left, size=6, category=1, **more):
    right = left + size
    return dict(id=i, image_id=image_id, category_id=category, bbox=[left, 2, size, size],
                segmentation=[[left, 2, right, 2, right, 2 + size, left, 2 + size]]) | more


@pytest.fixture
def given(tmp_path):
    """Reads such a file; gives frame -> labels, the notices, and names of objects."""
    def read(images, annotations, said='', names=VIDEO, **options):
        content = dict(images=images, annotations=annotations, categories=CATEGORIES)
        (tmp_path / 'x.json').write_text(json.dumps(content))
        reader = MaskReader()
        masks = read_given_masks(f'{tmp_path}/x.json{said}', SHAPE, names=names, reader=reader, **options)
        return {mask.frame_id: mask.labels for mask in masks}, ' | '.join(reader.notices), reader.names.titles
    return read


def test_our_own_file_comes_back_to_the_bit(tmp_path):
    rng, path = np.random.default_rng(0), str(tmp_path / 'coco.json')
    labels = [rng.choice([0, 85, 170, 255], SHAPE).astype(np.uint8) for _ in range(5)]
    labels[3][:] = 0
    with coco_file(path) as coco:
        for sequence in ('cow', 'dog'):
            for i, pixels in enumerate(labels):
                coco.add(f'{sequence}/{i:05d}.jpg', pixels if sequence == 'dog' else pixels[::-1], {85: 'rex'},
                         frame_id=i, sequence=sequence)
    reader, names = MaskReader(), FrameNames(num_frames=5, sequence='dog')
    found = {mask.frame_id: mask.labels for mask in read_given_masks(path, SHAPE, names=names, reader=reader)}
    assert list(found) == [0, 1, 2, 4]
    for i, mask in found.items():
        np.testing.assert_array_equal(mask, labels[i])
    assert list(reader.notices) == [f'{path} was read as COCO JSON: masks of frames 0, 1, 2, 4 with object 85 (rex), '
                                    'object 170, object 255, told apart by track_id']
    first, = read_given_masks(f'{path}@0', SHAPE, names=names)
    np.testing.assert_array_equal(first.labels, labels[0])
    with pytest.raises(ValueError, match='it holds 2 sequences, cow, dog, and none is called cat'):
        read_given_masks(path, SHAPE, names=FrameNames(sequence='cat'))


@pytest.mark.parametrize(('names', 'file_names', 'frames'), [
    (VIDEO, ['00003.png', '00005.png'], [3, 5]), (VIDEO, ['frame_000003.PNG', 'frame_000005.PNG'], [3, 5]),
    (FrameNames(['a1', 'b7', 'c7'], num_frames=3), ['v/c7.jpg', 'v/a1.jpg'], [0, 2]),
    (FrameNames(['a1', 'b7', 'c7'], num_frames=3), ['x.jpg', 'y.jpg'], [1, 2]),  # by frame_id
])
def test_which_frame_an_image_is(given, names, file_names, frames):
    numbered = dict(zip(file_names, [1, 2], strict=True)) if 'x.jpg' in file_names else {}
    found, _, _ = given([image(i, name, **({'frame_id': numbered[name]} if numbered else {}))
                         for i, name in enumerate(file_names)], [square(1, 0, 2), square(2, 1, 9)], names=names)
    assert sorted(found) == frames


def test_one_image_is_for_the_frame_that_is_said(given, tmp_path):
    one = [image(1, 'holiday.png'), image(2, 'unused.png')], [square(4, 1, 2), square(3, 1, 12, category=2)]
    found, told, titles = given(*one)
    assert list(found) == [2] and 'holiday.png, the only image with masks in' in told
    assert (found[2][2:8, 2:8] == 2).all() and (found[2][2:8, 12:18] == 1).all() and np.count_nonzero(found[2]) == 72
    assert titles == {1: 'cat', 2: 'dog'} and 'object 1 (cat), object 2 (dog), one for each annotation' in told
    found, told, _ = given(*one, said='@7')
    assert list(found) == [7] and 'holiday' not in told
    found, told, _ = given([image(1, '00003.png')], [square(1, 1, 2, iscrowd=1)], said='@7')
    assert list(found) == [7] and 'was taken for frame 7 (00007), though its image is called 00003.png' in told
    assert 'x.json marks annotations as crowds ("iscrowd"); each of them was taken as one object' in told
    assert [mask.frame_id for mask in read_given_masks({9: tmp_path / 'x.json'}, SHAPE)] == [9]


def test_what_is_left_out_is_told(given):
    images = [image(i, f'0000{i}.png') for i in (1, 2, 3)] + [image(9, 'logo.png')]
    found, told, _ = given(images, [square(i, i, 2, 3 * i) for i in (1, 2, 3, 9)])
    assert sorted(found) == [2, 3] and {int(labels.max()) for labels in found.values()} == {1}  # one by category
    assert 'masks of frame 1, which are not among those to segment; these masks were left out' in told
    assert 'masks of logo.png, which are no frames; these masks were left out' in told
    _, told, _ = given(images[1:2], [square(1, 2, 2)], names=FrameNames(start=2, num_frames=1))
    assert 'nothing is left' not in told
    _, told, _ = given(images[1:3], [square(1, 2, 2), square(2, 3, 2)], names=FrameNames(start=2, num_frames=2))
    assert 'x.json gives the masks of all frames, so nothing is left to segment: ' in told and 'x.json@2 takes' in told


def test_smaller_objects_lie_on_top(given):
    large, small = square(2, 1, 4, 12), square(1, 1, 8, 4)
    for annotations in ([large, small], [small, large | dict(id=0)]):
        found, told, _ = given([image(1, 'a.png')], annotations)
        ids = {annotation['id']: i for i, annotation in enumerate(sorted(annotations, key=lambda one: one['id']), 1)}
        labels = found[2]
        assert (labels[2:6, 8:12] == ids[1]).all() and np.count_nonzero(labels) == 144
        assert 'a.png in ' in told and 'holds objects that overlap: shared pixels went to the smaller object' in told


def test_masks_of_both_kinds_have_the_same_objects(given, tmp_path):
    given([image(1, 'a.png')], [square(1, 1, 2, track_id=3)])
    white = np.zeros(SHAPE, np.uint8)
    white[4:9, 4:9] = 255
    Image.fromarray(white).save(tmp_path / 'later.png')
    masks = read_given_masks([f'{tmp_path}/x.json', f'{tmp_path}/later.png@4'], SHAPE)
    assert [sorted(np.unique(mask.labels).tolist()) for mask in masks] == [[0, 3], [0, 3]]


@pytest.mark.parametrize(('images', 'annotations', 'said', 'words'), [
    ([image(1, '00003.png')], [square(1, 1, 2, segmentation=[])], '',
     'annotation 1, of 00003.png, has a box, but no "segmentation": give it as --box 2,2,6,6@3 to have a mask'),
    ([image(1, '00003.png')], [square(1, 1, 2, segmentation=None, bbox=None)], '', '00003.png, has no "segment'),
    ([image(1, '00003.png')], [], '', 'x.json: it has no annotation'),
    ([image(1, 'a.png'), image(2, 'b.png')], [square(1, 1, 2), square(2, 2, 2)], '',
     'none of its 2 images with masks is a frame: they are called a.png, b.png, and the frames are called 00002'),
    ([image(1, '00003.png'), image(2, '3.png')], [square(1, 1, 2), square(2, 2, 2)], '',
     'images 00003.png and 3.png are both frame 3'),
    ([image(1, '00003.png'), image(2, '00005.png')], [square(1, 1, 2), square(2, 2, 2)], '@4',
     'it has no mask of frame 4: it has masks of frames 3, 5'),
    ([image(1, '00000.png'), image(2, '00001.png')], [square(1, 1, 2), square(2, 2, 2)], '',
     'no mask of the frames to segment: it has masks of frames 0, 1'),
    ([image(1, '00003.png', width=31)], [square(1, 1, 2)], '', r'is 20x31 \(height x width\), the frames are 20x30'),
    ([image(1, '00003.png')], [square(1, 1, 2, segmentation=[[1, 2, 3, 4]])], '',
     'x.json: annotation 1, of 00003.png, has a polygon of 4 numbers'),
])
def test_what_cannot_be_given_is_refused(given, images, annotations, said, words):
    with pytest.raises(ValueError, match=words):
        given(images, annotations, said)
