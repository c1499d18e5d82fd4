import numpy as np
import pytest

from tempseg_mm.visualization.contact_sheet import LegendEntry, contact_sheet, with_legend


def tile(value, height=10, width=20):
    return np.full((height, width, 3), value, np.uint8)


def test_the_grid_by_hand():
    sheet = contact_sheet([tile(200), tile(210), tile(220)], 2, pad=3)
    assert sheet.shape == (3 + 2 * 13, 3 + 2 * 23, 3)
    assert (sheet[3:13, 3:23] == 200).all()
    assert (sheet[3:13, 26:46] == 210).all()
    assert (sheet[16:26, 3:23] == 220).all()
    background = sheet[0, 0, 0]
    assert (sheet[16:26, 26:46] == background).all() and (sheet[13:16] == background).all()


def test_a_smaller_picture_is_centred_and_none_stays_empty():
    sheet = contact_sheet([tile(200), tile(220, 4, 10), None], 3, pad=0)
    assert sheet.shape == (10, 60, 3)
    assert (sheet[3:7, 25:35] == 220).all()
    assert (sheet[:, 20:40] == 220).sum() == 4 * 10 * 3
    assert len(np.unique(sheet[:, 40:])) == 1


def test_fewer_pictures_than_columns_make_a_narrow_sheet():
    assert contact_sheet([tile(0)], 4, pad=0).shape == (10, 20, 3)


@pytest.mark.parametrize('caption', ['frame 7  J 0.91', 'a caption that is far too long for so narrow a picture', '.'])
def test_a_caption_is_written_above_its_picture(caption):
    sheet = contact_sheet([tile(0, 40, 120), tile(0, 40, 120)], 1, captions=[caption, ''], pad=0)
    bar = sheet.shape[0] // 2 - 40
    assert bar > 0
    assert sheet[:bar].max() > 100  # text
    assert len(np.unique(sheet[bar + 40:2 * bar + 40])) == 1  # an empty caption leaves an empty bar
    assert (sheet[bar:bar + 40] == 0).all()
    assert sheet[:bar, -1:].max() < 100  # the text fits


@pytest.mark.parametrize('arguments, message', [
    (dict(tiles=[], columns=2), 'at least one picture'),
    (dict(tiles=[None], columns=2), 'at least one picture'),
    (dict(tiles=[tile(0)], columns=0), 'columns must be at least 1, got 0'),
    (dict(tiles=[tile(0)], columns=1, captions=['a', 'b']), 'got 2 captions for 1 tiles'),
    (dict(tiles=[np.zeros((4, 4), np.uint8)], columns=1), r'must be \(h, w, 3\) uint8 RGB, got \(4, 4\)'),
])
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(**arguments)


def test_a_legend_stands_below_and_wraps():
    picture = np.full((30, 300, 3), 200, np.uint8)
    red, green = (255, 0, 0), (0, 255, 0)
    one = with_legend(picture, [LegendEntry('object', red), LegendEntry('truth', green, filled=False)])
    assert one.shape == (30 + 24, 300, 3) and (one[:30] == picture).all()
    count = [(one[30:] == color).all(-1).sum() for color in (red, green)]
    assert count[0] == 13 * 16 and 40 < count[1] < 13 * 16  # an area, and its outline
    many = with_legend(picture, [LegendEntry(f'object {i}', red) for i in range(12)])
    assert many.shape[0] > 30 + 2 * 24 and (many[30:] == red).all(-1).sum() == 12 * 13 * 16
    narrow = with_legend(picture[:, :20], [LegendEntry('a long word', red)])
    assert narrow.shape[1] > 60 and (narrow[:30, :20] == 200).all()
