import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest

from tempseg_mm.ops.dense_crf import SMALLEST, DenseCRF

pydensecrf = pytest.importorskip('pydensecrf.densecrf')

SETTINGS = dict(sxy_gaussian=2.5, compat_gaussian=1.5, sxy_bilateral=12.0, srgb=9.0, compat_bilateral=4.0)


def scene(height=30, width=41, seed=0):
    """A disc of its own colour on noise, and a probability that is unsure and partly wrong about it."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    disc = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 3) ** 2
    image = np.where(disc[..., None], (200, 90, 40), (60, 80, 120)) + generator.integers(-15, 16, (height, width, 3))
    probability = np.clip(0.5 + 0.15 * (2 * disc - 1) + generator.normal(0, 0.15, disc.shape), 0, 1)
    return probability.astype(np.float32), image.astype(np.uint8), disc


@pytest.mark.parametrize('iterations', [1, 5])
def test_bit_for_bit_what_pydensecrf_gives(iterations):
    probability, image, _ = scene()
    probability[0, :3] = 0, 1, 1e-9
    unary = np.empty((2, 30 * 41), np.float32)
    clipped = np.clip(probability.ravel(), np.float32(1e-5), np.float32(1 - 1e-5))
    unary[0], unary[1] = -np.log(1 - clipped), -np.log(clipped)
    crf = pydensecrf.DenseCRF2D(41, 30, 2)
    crf.setUnaryEnergy(unary)
    crf.addPairwiseGaussian(sxy=2.5, compat=1.5)
    crf.addPairwiseBilateral(sxy=12.0, srgb=9.0, rgbim=image, compat=4.0)
    expected = np.asarray(crf.inference(iterations))[1].reshape(30, 41)
    refined = DenseCRF(**SETTINGS, iterations=iterations)(probability, image)
    assert refined.dtype == np.float32
    np.testing.assert_array_equal(refined, expected)


def test_mends_a_noisy_mask():
    probability, image, disc = scene()
    wrong = ((probability > 0.5) != disc).mean()
    refined = DenseCRF()(probability, image)
    assert wrong > 0.1 and ((refined > 0.5) != disc).mean() < wrong / 5
    assert refined.min() >= 0 and refined.max() <= 1


def test_without_terms_or_iterations_the_probabilities_come_back():
    probability, image, _ = scene()
    for crf in (DenseCRF(compat_gaussian=0, compat_bilateral=0), DenseCRF(iterations=0)):
        np.testing.assert_allclose(crf(probability, image), probability, atol=2e-5)


def spot(height=60, width=90):
    """A disc of its own colour in a corner of the frame, and a probability that is unsure in a ring around its edge."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - 20, x - 25)
    image = np.where((distance < 12)[..., None], (200, 90, 40), (60, 80, 120)).astype(np.uint8)
    return np.clip((16 - distance) / 10, 0, 1).astype(np.float32), image, distance < 12


def test_only_the_surroundings_of_the_object_are_refined():
    probability, image, disc = spot()
    before, crf = probability.copy(), dict(compat_gaussian=0, sxy_bilateral=20, compat_bilateral=6)
    refined = DenseCRF(**crf, margin=3)(probability, image)
    np.testing.assert_array_equal(probability, before)
    rows, columns = np.nonzero(probability > 0.02)
    part = slice(rows.min() - 3, rows.max() + 4), slice(columns.min() - 3, columns.max() + 4)
    np.testing.assert_array_equal(refined[part], DenseCRF(**crf)(probability[part], image[part]))
    outside = np.ones(disc.shape, bool)
    outside[part] = False
    assert not refined[outside].any() and ((refined > 0.5) == disc).all() and ((probability > 0.5) != disc).any()


def test_a_margin_without_an_object_and_beyond_the_frame():
    probability, image, _ = spot()
    assert not DenseCRF(margin=3)(np.zeros_like(probability), image).any()
    np.testing.assert_array_equal(DenseCRF(margin=1000)(probability, image), DenseCRF()(probability, image))


def test_a_large_area_is_refined_in_a_smaller_copy():
    probability, image, disc = (np.repeat(np.repeat(whole, 4, 0), 4, 1) for whole in spot())
    crf = DenseCRF(compat_gaussian=0, sxy_bilateral=20, compat_bilateral=6, side=73)
    refined = crf(probability, image)
    assert refined.shape == disc.shape and refined.dtype == np.float32
    assert ((refined > 0.5) != disc).mean() < 0.005 < ((probability > 0.5) != disc).mean()


@pytest.mark.parametrize('times', [2, 5])
def test_a_small_object_is_refined_as_a_large_one(times):
    probability, image, disc = spot()
    enlarged = (np.repeat(np.repeat(whole, times, 0), times, 1) for whole in (probability, image))
    crf = DenseCRF(compat_gaussian=0, sxy_bilateral=20, compat_bilateral=6, side=147)
    refined, large = crf(probability, image), crf(*enlarged)
    assert ((probability > 0.5) != disc).any() and ((refined > 0.5) == disc).all()
    assert ((refined > 0.5) != (large[::times, ::times] > 0.5)).mean() < 0.005
    shorter = DenseCRF(compat_gaussian=0, sxy_bilateral=20 * np.sqrt(disc.size) / 147, compat_bilateral=6)
    np.testing.assert_array_equal(refined, shorter(probability, image))


def test_what_changes_more_than_the_outline_is_not_taken():
    image = np.full((40, 40, 3), 90, np.uint8)
    probability = np.full((40, 40), 0.001, np.float32)
    probability[18:21, 18:21] = 0.6  # the CRF finds no edge here and takes it all away
    eager = dict(compat_gaussian=0, sxy_bilateral=20, compat_bilateral=10)
    assert not (DenseCRF(**eager)(probability, image) > 0.5).any()
    np.testing.assert_array_equal(DenseCRF(**eager, overlap=0.6)(probability, image), probability)
    probability, image, disc = spot()
    refined = DenseCRF(**eager, overlap=0.6)(probability, image)
    np.testing.assert_array_equal(refined, DenseCRF(**eager)(probability, image))
    assert ((refined > 0.5) != (probability > 0.5)).any()


def test_any_layout_in_memory():
    probability, image, _ = scene()
    expected = DenseCRF()(probability, image)
    transposed = np.ascontiguousarray(probability.T).T, np.ascontiguousarray(image.transpose(1, 0, 2)).swapaxes(0, 1)
    assert not any(array.flags.c_contiguous for array in transposed)
    np.testing.assert_array_equal(DenseCRF()(*transposed), expected)
    np.testing.assert_array_equal(DenseCRF()(probability.astype(np.float64), image[..., ::-1][..., ::-1]), expected)
    read_only = probability.copy(), image.copy()
    for array in read_only:
        array.flags.writeable = False
    np.testing.assert_array_equal(DenseCRF()(*read_only), expected)


@pytest.mark.parametrize('value', [0.0, 1.0])
def test_empty_and_full_masks_stay_so(value):
    _, image, _ = scene()
    refined = DenseCRF(**SETTINGS)(np.full((30, 41), value, np.float32), image)
    np.testing.assert_allclose(refined, value, atol=1e-4)


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_tiny_images(size):
    refined = DenseCRF()(np.full(size, 0.75, np.float32), np.zeros((*size, 3), np.uint8))
    assert refined.shape == size and (refined > 0.5).all()


def test_the_smallest_settings_on_large_flat_and_noisy_images():
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    image[:60] = 255
    refined = DenseCRF(**SMALLEST, iterations=1)(np.full((120, 160), 0.75, np.float32), image)
    assert np.isfinite(refined).all() and (refined > 0.5).all()


def test_threads_do_not_disturb_each_other():
    frames = [scene(seed=seed)[:2] for seed in range(4)]
    expected = [DenseCRF()(*frame) for frame in frames]
    with ThreadPoolExecutor(4) as threads:
        for refined, alone in zip(threads.map(lambda frame: DenseCRF()(*frame), frames), expected):
            np.testing.assert_array_equal(refined, alone)


@pytest.mark.parametrize('name, value', [
    ('srgb', 0.0), ('srgb', 0.5), ('srgb', float('nan')), ('sxy_gaussian', 0.0), ('sxy_bilateral', float('inf')),
    ('compat_gaussian', -1.0), ('compat_bilateral', float('nan')), ('iterations', -1), ('iterations', 2.5),
    ('clip', 0.0), ('clip', 0.5), ('margin', -1), ('margin', 2.5), ('side', 7), ('overlap', 1.5)])
def test_settings_out_of_range(name, value):
    assert name in {field.name for field in fields(DenseCRF)}
    with pytest.raises(ValueError, match=f'{name} of DenseCRF must .*, got '):
        DenseCRF(**{name: value})


@pytest.mark.parametrize('probability, image, message', [
    (np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3), np.uint8), r'\(H, W\) float and not empty; got \(4, 5\) uint8'),
    (np.zeros((1, 4, 5), np.float32), np.zeros((4, 5, 3), np.uint8), r'got \(1, 4, 5\) float32'),
    (np.zeros((0, 5), np.float32), np.zeros((0, 5, 3), np.uint8), r'not empty; got \(0, 5\)'),
    (np.zeros((4, 5), np.float32), np.zeros((4, 5, 3), np.float32), r'uint8 RGB, .*; got \(4, 5, 3\) float32'),
    (np.zeros((4, 5), np.float32), np.zeros((5, 4, 3), np.uint8), r'its probabilities \(4, 5\); got \(5, 4, 3\)'),
    (np.zeros((4, 5), np.float32), np.zeros((4, 5), np.uint8), r'got \(4, 5\) uint8'),
    (np.full((4, 5), np.nan, np.float32), np.zeros((4, 5, 3), np.uint8), 'values from nan to nan'),
    (np.full((4, 5), 1.5, np.float32), np.zeros((4, 5, 3), np.uint8), r'in \[0, 1\]; got values from 1.5 to 1.5'),
])
def test_input_that_could_crash_the_process(probability, image, message):
    with pytest.raises(ValueError, match=message):
        DenseCRF()(probability, image)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    monkeypatch.delattr('pydensecrf.densecrf')
    with pytest.raises(ImportError, match=r'pip install .*pydensecrf2'):
        DenseCRF()


def test_workers_need_not_import_torch():
    code = ('import sys; from tempseg_mm.runtime import worker_pool; from tempseg_mm.ops import dense_crf\n'
            'print({"torch", "mmengine"} & set(sys.modules))')
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout == 'set()\n'
