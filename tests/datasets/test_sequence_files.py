import pytest

from tempseg_mm.datasets import sequence_files
from tempseg_mm.datasets.sequence_files import FRAME_SUFFIXES, files_by_stem, folders_in, require_names_to_match


@pytest.fixture
def folder(tmp_path):
    for name in ('9.jpg', '10.JPG', '2.png', 'notes.txt', '.3.jpg'):
        (tmp_path / name).touch()
    for name in ('b', 'a10', 'a9', '.cache'):
        (tmp_path / name).mkdir()
    return tmp_path


def test_in_natural_order(folder):
    assert files_by_stem(str(folder), FRAME_SUFFIXES) == {
        '2': f'{folder}/2.png', '9': f'{folder}/9.jpg', '10': f'{folder}/10.JPG'}
    assert folders_in(str(folder)) == ['a9', 'a10', 'b']


def test_two_files_of_one_stem(folder):
    (folder / '9.png').touch()
    with pytest.raises(ValueError, match='9.jpg and .*9.png have one name, but only one of them can be read'):
        files_by_stem(str(folder), FRAME_SUFFIXES)


def test_masks_without_a_frame(monkeypatch):
    said, frames = [], {'0': 'f/0.jpg', '1': 'f/1.jpg'}
    monkeypatch.setattr(sequence_files, 'print_log', lambda text, *_: said.append(text))
    require_names_to_match('walk', frames, {'0': 'm/0.png'})
    assert said == []
    require_names_to_match('walk', frames, {'0': 'm/0.png', '1': 'm/1.png', '9': 'm/9.png'})
    assert said == ["sequence 'walk': 1 of 3 masks have no frame of the same name and are left out (9, ...)"]
    with pytest.raises(ValueError, match="'walk': .* 1 of 2 masks have no frame .*from 1. Rename the masks in m so"):
        require_names_to_match('walk', frames, {'1': 'm/1.png', '2': 'm/2.png'})
