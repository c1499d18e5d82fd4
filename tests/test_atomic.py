import pytest

from tempseg_mm.atomic import written_beside


def test_a_file_takes_its_place_when_the_block_ends_well(tmp_path):
    path = tmp_path / 'deep' / 'a.txt'
    with written_beside(path) as beside:
        beside.write_text('new')
        assert beside.suffix == '.txt' and not path.exists()
    assert path.read_text() == 'new'
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_stays_alone(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(RuntimeError), written_beside(path) as beside:
        beside.write_text('half')
        raise RuntimeError
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]
