import subprocess

import pytest

from tempseg_mm.apis.paper_tables.records import commit_of, read_record, write_record


def test_a_record_is_read_as_it_was_written(tmp_path):
    path = tmp_path / 'row' / 'tested.json'
    assert read_record(path) is None
    write_record(path, dict(seconds=1.5))
    write_record(path, dict(seconds=2.5, scores=dict(J=dict(mean=None))))
    assert read_record(path) == dict(seconds=2.5, scores=dict(J=dict(mean=None)))
    assert [found.name for found in path.parent.iterdir()] == ['tested.json']


def test_a_broken_record_is_named(tmp_path):
    path = tmp_path / 'tested.json'
    path.write_text('{"seconds": 1')
    with pytest.raises(ValueError, match='tested.json is no record of ours.*remove it'):
        read_record(path)


def test_commit(tmp_path):
    assert commit_of(tmp_path) == 'unknown'

    def git(*command):
        return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *command], cwd=tmp_path, check=True,
                              capture_output=True, text=True).stdout.strip()
    try:
        git('init')
    except OSError:
        pytest.skip('no git')
    (tmp_path / 'file').write_text('1')
    git('add', 'file')
    git('commit', '-m', 'first')
    assert commit_of(tmp_path) == git('rev-parse', '--short', 'HEAD')
    (tmp_path / 'file').write_text('2')
    assert commit_of(tmp_path).endswith('+')
