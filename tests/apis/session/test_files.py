import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.apis.session.files import SessionFiles, SessionState
from tempseg_mm.structures import FrameRecord

STATE = SessionState('/v/dog.mp4', 'dog', 3, 9, (2, 3), dict(type='TempSegGAN'), {'dog.mp4': 'ab'}, {1: 'dog', 2: ''},
                     {3: (1, 2), 7: ()}, {2: (9, 8, 7)})


@pytest.fixture
def files(tmp_path):
    return SessionFiles(OutputFolder(tmp_path / 'out'))


def test_what_is_saved_is_what_is_loaded(files):
    assert not files.exists
    files.save(STATE)
    assert files.exists and files.load() == STATE


def test_another_version_is_refused(files):
    files.save(STATE)
    path = files.out.session / 'session.json'
    path.write_text(path.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(ValueError, match='written by another version of the project: choose another --out'):
        files.load()


def test_the_last_figures_of_a_frame_count_and_a_line_that_was_cut_off_does_not(files):
    assert files.figures() == {}
    one = FrameRecord(5, '00005', areas={1: 4}, sure={1: 0.5})
    for record in (one, FrameRecord(4, '00004'), FrameRecord(5, '00005', given=True, areas={1: 6})):
        files.note(record)
    with open(files.out.session / 'figures.jsonl', 'a') as file:
        file.write('{"frame_id": 6, "file_')
    assert list(files.figures()) == [4, 5] and files.figures()[5].areas == {1: 6}
    files.note_all([one])
    assert files.figures() == {5: one}


def test_what_was_found_comes_back_when_a_mask_is_taken_back(files):
    found, drawn = np.uint8([[1, 1, 2]] * 2), np.uint8([[0, 1, 2]] * 2)
    files.write_labels('00003', found, STATE)
    assert np.array_equal(files.found('00003', given=False), found)
    files.keep_found('00003')
    for labels in (drawn, np.uint8([[0, 0, 2]] * 2), drawn):  # drawn again and again
        files.write_given('00003', labels, [1], STATE)
    assert np.array_equal(files.found('00003', given=True), found)
    assert np.array_equal(files.labels('00003'), drawn)
    assert np.array_equal(files.given('00003'), np.where(drawn == 1, 1, 0))
    files.remove_given('00003')
    assert np.array_equal(files.labels('00003'), found) and not list(files.out.given.iterdir())
    assert files.found('00004', given=False) is None and files.labels('00004') is None


def test_masks_have_the_colours_of_the_first_ones(files):
    files.write_labels('00003', np.uint8([[0, 2]]), STATE)
    assert Image.open(files.out.mask_file('00003')).convert('RGB').getpixel((1, 0)) == (9, 8, 7)
