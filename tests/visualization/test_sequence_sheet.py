import numpy as np
import pytest
from PIL import Image

from tempseg_mm.structures import SegmentedFrame
from tempseg_mm.visualization import sequence_sheet
from tempseg_mm.visualization.palette import object_colors
from tempseg_mm.visualization.sequence_sheet import SequenceSheet


def prediction(frame_id, num_frames=20, sequence='camel', shape=(24, 32), annotated=True):
    mask = np.zeros(shape, np.uint8)
    mask[4:16, 4:20] = 1
    return SegmentedFrame(sequence, frame_id, f'{frame_id:05d}', np.full((*shape, 3), 60, np.uint8),
                          num_frames=num_frames, labels=mask, given=frame_id == 0,
                          gt_labels=mask if annotated else None)


def captions_of(monkeypatch, sheet, predictions):
    """Captions of the sheets that a stream gives."""
    seen, draw = [], sequence_sheet.contact_sheet

    def spy(tiles, columns, *, captions):
        seen.append(list(captions))
        return draw(tiles, columns, captions=captions)

    monkeypatch.setattr(sequence_sheet, 'contact_sheet', spy)
    for one in predictions:
        sheet.add(one)
    sheet.close()
    return seen


def test_the_sheet_comes_with_the_last_frame(tmp_path):
    sheet = SequenceSheet(tmp_path / 'show')
    paths = [sheet.add(prediction(i)) for i in range(20)]
    assert paths[:-1] == [None] * 19
    assert paths[-1] == tmp_path / 'show' / 'camel.png'
    width, height = Image.open(paths[-1]).size
    assert width >= 4 + 4 * (32 + 4)  # four columns; the legend is wider than such small frames
    assert height > 2 * 24  # two rows and their captions
    assert sheet.close() is None


def test_frames_are_evenly_spaced_and_captions_tell_the_score(tmp_path, monkeypatch):
    calls = []

    def score(mask, gt_mask):
        calls.append(1)
        return 0.914

    sheet = SequenceSheet(tmp_path, num_tiles=5, score=score)
    captions, = captions_of(monkeypatch, sheet, [prediction(i) for i in range(20)])
    assert captions == ['frame 0  given', 'frame 5  J 0.91', 'frame 10  J 0.91', 'frame 14  J 0.91', 'frame 19  J 0.91']
    assert len(calls) == 4  # only where it is shown


def test_without_score_or_annotation_the_caption_is_the_frame(tmp_path, monkeypatch):
    frames = [prediction(1, 3), prediction(2, 3, annotated=False)]
    assert captions_of(monkeypatch, SequenceSheet(tmp_path), frames) == [['frame 1', 'frame 2']]


def test_a_short_sequence_shows_all_its_frames(tmp_path, monkeypatch):
    captions, = captions_of(monkeypatch, SequenceSheet(tmp_path), [prediction(i, 3) for i in range(3)])
    assert captions == ['frame 0  given', 'frame 1', 'frame 2']


def test_it_holds_no_more_than_it_shows(tmp_path):
    sheet = SequenceSheet(tmp_path, num_tiles=4, tile_width=16)
    for i in range(999):
        sheet.add(prediction(i, 1000))
    assert len(sheet._tiles) == 3
    assert all(tile.shape == (12, 16, 3) for tile in sheet._tiles)


def test_a_sequence_that_was_cut_short_gets_its_sheet(tmp_path):
    sheet = SequenceSheet(tmp_path)
    sheet.add(prediction(0, sequence='cut'))
    sheet.add(prediction(0, sequence='next'))
    assert sheet.close() == tmp_path / 'next.png'
    assert (tmp_path / 'cut.png').exists()


def test_the_ground_truth_is_outlined_in_its_own_colour(tmp_path):
    def greenish(annotated):
        sheet = SequenceSheet(tmp_path)
        sheet.add(prediction(0, 1, annotated=annotated))
        picture = np.asarray(Image.open(tmp_path / 'camel.png')).astype(int)[:40]  # above the legend
        return (picture[..., 1] - picture[..., 0] > 60).any()

    assert greenish(True) and not greenish(False)


def test_no_tile_is_refused(tmp_path):
    with pytest.raises(ValueError, match='num_tiles must be at least 1, got 0'):
        SequenceSheet(tmp_path, num_tiles=0)


@pytest.mark.parametrize('ids, annotated, expected', [
    ((1,), True, ['filled: the mask found', 'outlined: the ground truth']), ((1,), False, ['filled: the mask found']),
    ((2, 5), True, ['filled: object 2', 'object 5', 'outlined: the ground truth'])])
def test_the_legend_names_what_is_shown(tmp_path, monkeypatch, ids, annotated, expected):
    seen = []
    monkeypatch.setattr(sequence_sheet, 'with_legend', lambda sheet, entries: seen.append(entries) or sheet)
    sheet = SequenceSheet(tmp_path)
    for i in range(3):
        one = prediction(i, 3, annotated=annotated and i > 0)
        one.object_ids = ids
        sheet.add(one)
    assert [entry.text for entry in seen[0]] == expected
    assert [entry.color for entry in seen[0]][:len(ids)] == [tuple(object_colors()[i]) for i in ids]
    assert [entry.filled for entry in seen[0]] == [True] * len(ids) + [False] * annotated
