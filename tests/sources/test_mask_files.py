"""Masks of one sequence have one meaning, whoever reads them and in whatever order."""

import itertools

import numpy as np
import pytest
from sources.masks_drawn import COLORS, SIZE, cut_out, davis_png, disc, save, scene, smoothed

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.image_io import UnreadableImageError
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import MaskValueError

TWO = disc(1, 12, (20, 30)) + disc(2, 12, (60, 30))
WHITE = np.array([(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255)], np.uint8)


def labels(masks, reader=None):
    reader = reader or MaskReader()
    return [reader.read(mask).ids for mask in masks]


def test_a_colour_is_the_same_object_in_every_mask():
    first, second, third = labels([disc(255, 12, (20, 30)), WHITE[TWO], WHITE[(TWO == 2) * 2 + (TWO == 1) * 3]])
    np.testing.assert_array_equal(first, TWO == 1)
    np.testing.assert_array_equal(second, TWO)
    np.testing.assert_array_equal(third, (TWO == 2) * 2 + (TWO == 1) * 3)


def test_masks_that_are_known_are_learned_in_their_order_whatever_is_read_first():
    masks = [WHITE[TWO], COLORS[TWO], WHITE[TWO * 3 % 5]]
    expected = labels(masks)
    for order in itertools.permutations(range(3)):
        reader = MaskReader(masks=masks)
        found = {i: reader.read(masks[i]).ids for i in order}
        for i in range(3):
            np.testing.assert_array_equal(found[i], expected[i])


@pytest.mark.parametrize('reads', [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_one_odd_mask_does_not_change_the_others(tmp_path, reads):
    paths = [save(tmp_path / '0.png', disc()), davis_png(tmp_path / '1.png', TWO), save(tmp_path / '2.png', disc())]
    reader = MaskReader(masks=paths)
    found = {i: reader.read(paths[i]) for i in reads}
    for i, expected in enumerate([disc(1), TWO, disc(1)]):
        np.testing.assert_array_equal(found[i].ids, expected)
        assert found[i].void is None


@pytest.mark.parametrize('reads', [(0, 1), (1, 0)])
def test_255_alone_is_void_where_other_palettes_number_objects(tmp_path, reads):
    paths = [davis_png(tmp_path / '0.png', disc()), davis_png(tmp_path / '1.png', TWO)]
    reader = MaskReader(masks=paths)
    found = {i: reader.read(paths[i]) for i in reads}
    assert not found[0].ids.any()
    np.testing.assert_array_equal(found[0].void, disc() > 0)
    assert 'taken as void' in list(reader.notices)[0]
    assert MaskReader().read(paths[0]).ids.any()  # alone it is the object


@pytest.mark.parametrize('first, second, expected', [
    (TWO, disc(), 0), (disc(1), disc(), 1), (disc(3), disc(), 3), (disc(), disc(1), 1), (COLORS[disc(2)], disc(), 2),
    (disc(1), disc() > 0, 1)])
def test_one_object_without_a_number(first, second, expected):
    assert labels([first, second])[1].max() == expected


def test_one_object_without_a_number_beside_several():
    reader = MaskReader()
    reader.read(TWO)
    with pytest.raises(MaskValueError, match='one object without a number, but other masks use the numbers 1, 2'):
        reader.read(disc() > 0)


@pytest.mark.parametrize('invert', [
    lambda mask: 255 - mask, lambda mask: mask == 0, lambda mask: np.dstack([255 - mask] * 3),
    lambda mask: 255 - smoothed(mask), lambda mask: (mask == 0).astype(np.uint8), lambda mask: (mask == 0) * 7,
    lambda mask: 2 - (mask > 0).astype(np.int64)], ids=range(7))
def test_an_inverted_mask_is_its_object(invert):
    notices = Notices()
    found, whole = labels([invert(disc()), invert(disc(radius=60))], MaskReader(notices))
    assert (found > 0).mean() == pytest.approx((disc() > 0).mean(), abs=0.02)
    assert any('surrounded by' in notice for notice in notices)


def test_an_object_that_comes_to_fill_the_frame_is_not_inverted():
    notices = Notices()
    close = np.full(SIZE, 255, np.uint8)
    close[20:30, 20:30] = 0
    found = labels([disc(), close, np.full(SIZE, 255, np.uint8)], MaskReader(notices))
    np.testing.assert_array_equal(found[1], close > 0)
    assert found[2].all()
    assert any('more than 90 % of the frame' in notice for notice in notices)


@pytest.mark.parametrize('ground, told', [((255, 255, 255), 'white (255, 255, 255)'), ((9, 99, 9), '(9, 99, 9)')])
def test_backgrounds_of_a_colour(ground, told):
    notices, colors = Notices(), COLORS.copy()
    colors[0] = ground
    for found in labels([colors[TWO], colors[TWO]], MaskReader(notices)):
        assert ((found == 0) == (TWO == 0)).all() and len(np.unique(found)) == 3
    assert told in list(notices)[0] and 'taken as background' in list(notices)[0]


def test_colours_without_a_background_are_refused():
    thirds = COLORS[1 + np.arange(81)[None].repeat(60, 0) // 27]
    with pytest.raises(MaskValueError, match='has no background: none of its 3 colours is black'):
        MaskReader().read(thirds)


@pytest.mark.parametrize('given, truth, expected', [
    (disc(), disc(1), 1), (disc(1), disc(), 1), (disc(3), disc(), 3), (disc(), disc(3), 1),
    (COLORS[disc(1)], disc(), 1), (disc(4), COLORS[disc(1)], 4), (COLORS[disc(1)], COLORS[disc(2)], 1),
    (cut_out(disc(), scene()), disc(200), 1)], ids=range(8))
def test_the_one_object_of_given_masks_and_of_ground_truth_is_the_same(given, truth, expected):
    reader = MaskReader()
    reader.read(given)
    assert np.unique(reader.companion().read(truth).ids).tolist() == [0, expected]


def test_several_objects_of_given_masks_and_of_ground_truth(tmp_path):
    reader = MaskReader()
    labels([COLORS[TWO], COLORS[TWO * 2]], reader)  # blue 1, red 2, yellow 3
    truth = reader.companion()
    expected = reader.read(COLORS[TWO]).ids
    np.testing.assert_array_equal(truth.read(COLORS[TWO]).ids, expected)
    np.testing.assert_array_equal(truth.read(save(tmp_path / 'a.png', TWO, COLORS[:3])).ids, expected)
    assert truth.read(COLORS[disc(5)]).ids.max() == 4  # one that is not followed


@pytest.mark.parametrize('learned', [True, False])
def test_palettes_with_the_same_colours_in_another_order(tmp_path, learned):
    notices, palette = Notices(), [(0, 0, 0), (255, 0, 0), (0, 255, 0), (9, 9, 90)]
    other = [palette[0], palette[2], palette[1], palette[3]]
    swapped = np.array([0, 2, 1], np.uint8)[TWO]
    paths = [save(tmp_path / 'a.png', TWO, palette), save(tmp_path / 'b.png', swapped, other)]
    reader = MaskReader(notices)
    if learned:
        reader.learn(paths)
    for path in paths:
        np.testing.assert_array_equal(reader.read(path).ids, TWO)
    assert list(notices) == [f'{paths[1]} has a palette with the colours of other masks in another order, so its '
                             'colours count and not its numbers; save all masks with one palette to make them agree']
    np.testing.assert_array_equal(reader.read(np.array(palette, np.uint8)[TWO]).ids, TWO)
    # A colour that no mask had, under a number that is another object's.
    new = reader.read(save(tmp_path / 'c.png', TWO, [(0, 0, 0), (0, 0, 255), (255, 0, 0)])).ids
    assert np.unique(new[TWO == 2]).tolist() == [1] and np.unique(new[TWO == 1]).tolist() == [3]


def test_a_palette_that_tells_nothing_apart_leaves_the_numbers(tmp_path):
    reader = MaskReader()
    for i, palette in enumerate(([(0, 0, 0), (255, 0, 0), (0, 255, 0)], [(0, 0, 0), (0, 255, 0), (0, 255, 0)])):
        np.testing.assert_array_equal(reader.read(save(tmp_path / f'{i}.png', TWO, palette)).ids, TWO)


def test_predictions_in_the_colours_of_the_palette(tmp_path):
    palette = [(0, 0, 0), (9, 200, 30), (250, 0, 250)]
    truth = MaskReader()
    truth.read(save(tmp_path / 'a.png', TWO, palette))
    np.testing.assert_array_equal(truth.companion().read(np.array(palette, np.uint8)[TWO]).ids, TWO)
    path = save(tmp_path / 'a.jpg', np.array(palette, np.uint8)[TWO], quality=90)
    assert (truth.companion().read(path).ids == TWO).mean() > 0.97


@pytest.mark.parametrize('mask, words', [
    (disc(radius=1), 'fewer than 9 pixels'), (np.full(SIZE, 3, np.uint8), '90 % of the frame'),
    (COLORS[np.full(SIZE, 2)], '90 % of the frame'), (smoothed(disc(20)), 'in thin rings between lower and higher')])
def test_what_is_odd_is_told(mask, words):
    notices = Notices()
    MaskReader(notices).read(mask, name='mask for frame 3')
    assert list(notices)[-1].startswith('mask for frame 3 ') and words in list(notices)[-1]


def test_plain_masks_say_nothing(tmp_path):
    notices = Notices()
    labels([disc(), disc() > 0, disc(1), davis_png(tmp_path / 'a.png', disc(1)), COLORS[disc(1)]],
           MaskReader(notices))
    labels([TWO, davis_png(tmp_path / 'a.png', TWO)], MaskReader(notices))
    assert list(notices) == []


def test_faults_are_those_of_the_mask_that_is_read(tmp_path):
    paths = [tmp_path / 'gone.png', save(tmp_path / 'scene.png', scene()), save(tmp_path / 'a.png', disc())]
    (tmp_path / 'broken.png').write_bytes(b'\x89PNG')
    reader = MaskReader(masks=[*paths, tmp_path / 'broken.png'])
    np.testing.assert_array_equal(reader.read(paths[2]).ids, disc(1))
    with pytest.raises(FileNotFoundError, match='gone.png does not exist'):
        reader.read(paths[0])
    with pytest.raises(MaskValueError, match='scene.png looks like a picture'):
        reader.read(paths[1])
    with pytest.raises(UnreadableImageError, match='broken.png'):
        reader.read(tmp_path / 'broken.png')
