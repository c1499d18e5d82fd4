import numpy as np
import pytest
from pycocotools import mask as rle

from tempseg_mm.sources.coco_regions import region_mask, region_size


def regions():
    """Blobs, noise, nothing, everything; of sides from 1 on."""
    rng = np.random.default_rng(0)
    yield from (np.zeros((4, 3), bool), np.ones((4, 3), bool), np.ones((300, 500), bool))
    for _ in range(30):
        height, width = rng.integers(1, 60, 2)
        yield rng.random((height, width)) < rng.random()
        yield np.kron(rng.random((height, 4)) < 0.5, np.ones((1, 9))) > 0


def test_run_lengths_of_both_kinds_are_read_to_the_bit():
    for mask in regions():
        code = rle.encode(np.asfortranarray(mask, np.uint8))
        code['counts'] = code['counts'].decode()
        np.testing.assert_array_equal(region_mask(code, mask.shape), mask)
        ends = np.flatnonzero(np.diff(mask.T.ravel(), prepend=False, append=not mask[-1, -1]))
        counts = np.diff(ends, prepend=0).tolist()
        np.testing.assert_array_equal(region_mask(dict(size=list(mask.shape), counts=counts), mask.shape), mask)


def test_polygons_are_filled_and_joined():
    square, other = [1, 1, 5, 1, 5, 4, 1, 4], [7.5, 2, 9, 2, 9, 8]
    found = region_mask([square, other], (10, 12))
    assert found.dtype == bool and found.shape == (10, 12) and found[1:4, 1:5].all() and found[:, :6].sum() == 12
    assert found[3:6, 8].all() and found.sum() > 15
    np.testing.assert_array_equal(region_mask(square, (10, 12)), region_mask([square], (10, 12)))


@pytest.mark.parametrize(('segmentation', 'words'), [
    (dict(size=[4, 5], counts=[3, 4]), 'broken run lengths: they cover 7 pixels of 20'),
    (dict(size=[4, 5], counts='2'), 'broken run lengths: they cover 2 pixels of 20'),
    (dict(size=[4, 5], counts=[30, -10]), 'broken run lengths; a segmentation is'),
    (dict(size=[4, 5], counts=[True, 19]), 'broken run lengths; a segmentation is'),
    (dict(size=[4, 5], counts='\x7f'), r"broken run lengths: '\\x7f' cannot be in them"),
    (dict(size=[4, 5], counts='o' * 40), "broken run lengths: 'o' cannot be in them"),
    (dict(size=[4, 5], counts='d0o'), 'broken run lengths: they are cut off'),
    (dict(size=[4, 5]), 'broken run lengths; '),
    (dict(size=[2 ** 20, 2 ** 20], counts='1'), r'of 1048576x1048576 \(height x width\), but its image is 4x5'),
    (dict(size=[4, 0], counts=[0]), r'run lengths with the size \[4, 0\]; '),
    (dict(size=7, counts=[0]), 'run lengths with the size 7; '),
    ([[1, 1, 3, 3]], 'a polygon of 4 numbers; a polygon needs x and y of three points or more'),
    ([[1, 1, 3, 3, 2, 1, 4]], 'a polygon of 7 numbers'),
    ([[1, 1, 3, 3, float('nan'), 1]], r'a point \(nan, 1\) far outside of its image, which is 5 pixels wide and 4 '),
    ([[1, 1, 3, 1e9, 2, 2]], r'a point \(3, 1000000000.0\) far outside'),
    ([['1', 1, 3, 3, 2, 2]], 'a polygon that is not a list of numbers'),
    ([], 'no region; a segmentation is run lengths'), ('x', 'no region; '),
])
def test_what_is_no_region_is_refused(segmentation, words):
    with pytest.raises(ValueError, match=words):
        region_mask(segmentation, (4, 5))


def test_more_pixels_than_masks_may_have_are_not_decoded():
    with pytest.raises(ValueError, match='1000000x1000000 pixels, but at most'):
        region_mask(dict(size=[10 ** 6, 10 ** 6], counts=[10 ** 12]), (10 ** 6, 10 ** 6))


def test_the_size_that_a_region_states():
    assert region_size(dict(size=[4, 5], counts='')) == (4, 5)
    assert region_size([[1, 2, 3, 4, 5, 6]]) is region_size(dict(size=['4', 5])) is region_size(None) is None
