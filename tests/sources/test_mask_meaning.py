import numpy as np
import pytest
from sources.masks_drawn import COLORS, disc

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.mask_meaning import SetMeaning, Teller
from tempseg_mm.sources.mask_regions import regions_of
from tempseg_mm.sources.object_names import ObjectNames
from tempseg_mm.sources.stored_mask import StoredMask

TWO = disc(1, 12, (20, 30)) + disc(2, 12, (60, 30))


def labels(meaning, pixels, notices=None):
    stored = StoredMask(pixels)
    return meaning.labels(stored, regions_of(stored), Teller(notices, 'this mask'))


@pytest.mark.parametrize('pixels, background', [
    (disc(), 'zero'), (255 - disc(), 'one'), (disc() * 0, None), (COLORS[TWO], 'zero'), (3 - TWO, 3),
    (np.where(COLORS[TWO].any(-1, keepdims=True), COLORS[TWO], 255).astype(np.uint8), (255, 255, 255))], ids=range(6))
def test_the_first_mask_that_shows_an_object_decides_on_the_background(pixels, background):
    meaning = SetMeaning(ObjectNames())
    labels(meaning, pixels)
    assert meaning.background == background
    labels(meaning, disc())
    assert meaning.background == background or background is None


def test_a_set_that_is_inverted_stays_so():
    meaning = SetMeaning(ObjectNames())
    labels(meaning, 255 - disc())
    half = np.full(disc().shape, 255, np.uint8)
    half[:, :40] = 0  # an object at the side, two corners of which are its own
    np.testing.assert_array_equal(labels(meaning, half).ids, half == 0)
    np.testing.assert_array_equal(labels(meaning, disc()).ids, disc() > 0)  # surrounded by black


def test_only_the_teller_with_notices_speaks():
    notices = Notices()
    labels(SetMeaning(ObjectNames()), 255 - disc())
    labels(SetMeaning(ObjectNames()), 255 - disc(), notices)
    assert len(notices) == 1 and next(iter(notices)).startswith('this mask is surrounded by white')


def test_gray_levels_and_gray_colours_are_one():
    meaning = SetMeaning(ObjectNames())
    colors = np.array([(0, 0, 0), (100, 100, 100), (255, 0, 0)], np.uint8)
    labels(meaning, disc(100))
    found = labels(meaning, colors[TWO]).ids
    assert (found[TWO == 1] == 100).all() and (found[TWO == 2] == 1).all()
    meaning = SetMeaning(ObjectNames())
    found = labels(meaning, colors[TWO]).ids
    assert labels(meaning, disc(100)).ids.max() == found[TWO == 1].max()
