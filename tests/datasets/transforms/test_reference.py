import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.transforms.reference import DeformReferenceMask, _Fault, add_blob, deform_mask
from tempseg_mm.registry import TRANSFORMS

STILL = dict(max_shift=0, scale=0, rotate=0, warp=0, dilate=0, empty_prob=0)


def box(left=40, top=30, width=40, height=30):
    mask = np.zeros((97, 131), np.uint8)
    mask[top:top + height, left:left + width] = 1
    return mask


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


def drawn(results):
    """The masks that faults were drawn for, in order: one for each frame of the clip."""
    return [results['first_reference'], *results['reference_masks'][:-1]]


def deform(masks, **kwargs):
    return drawn(DeformReferenceMask(**dict(STILL, **kwargs))(dict(gt_masks=masks)))


def test_without_faults_each_is_the_mask_of_its_own_frame():
    masks = [box(left=10 * t) for t in range(4)]
    out = DeformReferenceMask(**STILL)(dict(gt_masks=masks))
    np.testing.assert_array_equal(out['reference_masks'], masks)
    np.testing.assert_array_equal(out['first_reference'], masks[0])


def test_the_first_frame_is_deformed_twice_and_the_last_not_at_all():
    masks = [box(left=10 * t) for t in range(3)]
    out = DeformReferenceMask(max_shift=0.3, empty_prob=0)(dict(gt_masks=masks))
    one, other = out['first_reference'], out['reference_masks'][0]
    assert iou(one, masks[0]) > 0.3 and iou(other, masks[0]) > 0.3 and not np.array_equal(one, other)
    assert iou(out['reference_masks'][1], masks[1]) > iou(out['reference_masks'][1], masks[0])
    np.testing.assert_array_equal(out['reference_masks'][2], masks[2])


def test_draws_are_those_of_one_fault_a_frame():
    np.random.seed(0)
    DeformReferenceMask()(dict(gt_masks=[box() * 0] * 3))
    following = np.random.rand()
    np.random.seed(0)
    np.random.uniform(size=5 + 3 * (5 + 1 + 50))  # the clip's; for each of T: its own, whether empty, the field
    assert following == np.random.rand()


def test_default_faults_are_moderate_and_repeatable():
    masks = [box()] * 200
    np.random.seed(0)
    out = drawn(TRANSFORMS.build(dict(type='DeformReferenceMask'))(dict(gt_masks=masks)))
    np.random.seed(0)
    again = drawn(DeformReferenceMask()(dict(gt_masks=masks)))
    np.testing.assert_array_equal(out, again)
    assert all(mask.shape == (97, 131) and mask.dtype == np.uint8 and mask.max() <= 1 for mask in out)
    scores = [iou(box(), mask) for mask in out if mask.any()]
    assert min(scores) > 0.5 and 0.7 < np.mean(scores) < 0.95 and np.std(scores) > 0.02
    assert 0.04 < np.mean([not mask.any() for mask in out]) < 0.17


def centre(mask):
    return np.array([coordinates.mean() for coordinates in np.nonzero(mask)[::-1]])


def test_shift_is_relative_to_the_object():
    np.random.seed(0)
    for size in (10, 30):
        mask = box(width=size, height=size)
        shifts = np.array([centre(deform([mask], max_shift=0.3)[0]) - centre(mask) for _ in range(100)]) / size
        assert 0.2 < np.abs(shifts).max() <= 0.3 + 0.6 / size


def test_faults_share_a_part_within_a_clip():
    np.random.seed(0)
    clips = [[centre(mask)[0] for mask in deform([box()] * 8, max_shift=0.5)] for _ in range(60)]
    between, within = np.var(np.mean(clips, axis=1)), np.mean(np.var(clips, axis=1))
    assert 0.5 < between / within < 2.5  # equal parts; independent draws would give 1/8


def test_scale_and_rotation():
    np.random.seed(0)
    sizes = [deform([box()], scale=0.2)[0].sum() / box().sum() for _ in range(100)]
    assert 1 / 1.2**2 - 0.06 < min(sizes) < 0.8 and 1.25 < max(sizes) < 1.2**2 + 0.06
    turned = [deform([box(width=60, height=6)], rotate=40)[0] for _ in range(50)]
    assert max(np.ptp(np.nonzero(mask)[0]) for mask in turned) > 25  # 60 sin 30


def test_dilation_grows_and_shrinks():
    np.random.seed(0)
    out = [deform([box(width=40, height=40)], dilate=0.1)[0] for _ in range(60)]
    widths = [np.ptp(np.nonzero(mask)[1]) + 1 for mask in out]
    assert 32 <= min(widths) < 36 and 44 < max(widths) <= 48


def test_warp_changes_the_outline_not_the_place():
    np.random.seed(0)
    out = [deform([box()], warp=0.1)[0] for _ in range(50)]
    assert np.mean([iou(mask, box()) for mask in out]) < 0.95
    assert np.abs(np.mean([centre(mask) for mask in out], axis=0) - centre(box())).max() < 1


def deformed_everywhere(mask, fault, field):
    """Each pixel of the whole mask looks up its source."""
    left, top, width, height = cv2.boundingRect(mask)
    size, centre = np.sqrt(width * height), (left + (width - 1) / 2, top + (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, fault.degrees, np.exp(fault.log_scale))
    matrix[:, 2] += fault.shift * size
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in mask.shape[::-1]))
    source = cv2.transform(np.dstack([x, y]), cv2.invertAffineTransform(matrix).astype(np.float32))
    at = [((place - middle) / (2 * length) + 0.5) * 4 for place, middle, length in zip(
        (x, y), centre, (width, height), strict=True)]
    source += size * cv2.remap(field, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = (cv2.remap(mask * 255, source, None, cv2.INTER_LINEAR) > 127).astype(np.uint8)
    radius = round(fault.dilate * size)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(radius) + 1,) * 2)
    grown = cv2.dilate(moved, kernel) if radius > 0 else cv2.erode(moved, kernel)
    return grown if grown.any() else moved


def test_faults_are_the_same_as_if_every_pixel_were_looked_at():
    rng, moved_out = np.random.default_rng(0), 0
    for _ in range(200):
        mask = box(*rng.integers(0, (90, 60)), *rng.integers(1, 60, 2))
        fault = _Fault(rng.uniform(-1.5, 1.5, 2), rng.uniform(-0.5, 0.5), rng.uniform(-90, 90), rng.uniform(-0.4, 0.4))
        field = rng.uniform(-0.5, 0.5, (5, 5, 2)).astype(np.float32)
        expected = deformed_everywhere(mask, fault, field)
        np.testing.assert_array_equal(deform_mask(mask, fault, field), expected)
        moved_out += not expected.any()
    assert 2 < moved_out < 60


def test_empty_masks():
    assert not np.any(deform([box()] * 3, empty_prob=1))
    assert not np.any(DeformReferenceMask()(dict(gt_masks=[box() * 0] * 3))['reference_masks'])


def test_tiny_object_is_not_eroded_away():
    np.random.seed(0)
    tiny = box(width=2, height=2)
    assert all(deform([tiny], dilate=1)[0].any() for _ in range(30))


def test_input_is_untouched():
    masks = [box(), box(left=50)]
    DeformReferenceMask()(dict(gt_masks=masks))
    np.testing.assert_array_equal(masks[0], box())


@pytest.mark.parametrize('kwargs', [dict(max_shift=-1), dict(empty_prob=1.1), dict(dilate=-0.1)])
def test_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=f'{next(iter(kwargs))} of DeformReferenceMask is out of range'):
        DeformReferenceMask(**kwargs)


def test_a_spurious_blob_is_added_and_nothing_taken_away():
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 1
    np.random.seed(0)
    blobs = [add_blob(mask) for _ in range(200)]
    assert all(blob.dtype == np.uint8 and set(np.unique(blob)) == {0, 1} for blob in blobs)
    assert all((blob >= mask).all() for blob in blobs)
    extra = np.array([(blob > mask).sum() for blob in blobs])
    assert (extra > 0).mean() > 0.7 and extra.max() <= np.pi * 10**2 * 1.2  # at most a circle of the object's size
    assert (np.mean(blobs, axis=0) > 0).mean() > 0.8  # anywhere


@pytest.mark.parametrize('probability', [0.0, 1.0])
def test_spurious_blobs_come_as_often_as_asked(probability):
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 1
    deform = DeformReferenceMask(0, 0, rotate=0, warp=0, dilate=0, empty_prob=0, spurious_prob=probability)
    np.random.seed(1)
    changed = [not np.array_equal(reference, mask)
               for _ in range(10) for reference in drawn(deform(dict(gt_masks=[mask] * 3)))]
    assert np.mean(changed) == 0 if probability == 0 else np.mean(changed) > 0.7
