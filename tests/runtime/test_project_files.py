import pytest

from tempseg_mm.runtime import project_files
from tempseg_mm.runtime.project_files import find_file, seen_from_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder ``project`` with ``weights/own.pth`` in it, and the working folder beside it."""
    root = tmp_path / 'project'
    for folder in (root / 'weights', tmp_path / 'elsewhere/weights'):
        folder.mkdir(parents=True)
    (root / 'weights/own.pth').write_bytes(b'')
    monkeypatch.setattr(project_files, 'ROOT', root)
    monkeypatch.chdir(tmp_path / 'elsewhere')
    return root


def test_the_working_folder_comes_first_then_the_project(project):
    assert find_file('weights/own.pth') == str(project / 'weights/own.pth')
    (project.parent / 'elsewhere/weights/own.pth').write_bytes(b'')
    assert find_file('weights/own.pth') == 'weights/own.pth'


@pytest.mark.parametrize('named', ['gone.pth', '', 'weights', 'https://a.b/weights/own.pth', '/weights/own.pth'])
def test_what_is_nowhere_stays_as_it_was_named(project, named):
    assert find_file(named) == named


def test_files_of_the_project_have_one_name(project, monkeypatch):
    path = project / 'weights/own.pth'
    assert seen_from_project(path) == 'weights/own.pth'
    monkeypatch.chdir(project / 'weights')
    assert seen_from_project('own.pth') == 'weights/own.pth'
    assert seen_from_project('gone.pth') == 'gone.pth'
    assert seen_from_project('https://a.b/own.pth') == 'https://a.b/own.pth'
    outside = project.parent / 'other.pth'
    outside.write_bytes(b'')
    assert seen_from_project(outside) == str(outside) and seen_from_project('../../other.pth') == '../../other.pth'


def test_the_project_is_that_of_this_test():
    assert find_file('configs/segment_video.py').endswith('configs/segment_video.py')
    assert seen_from_project(__file__) == 'tests/runtime/test_project_files.py'
