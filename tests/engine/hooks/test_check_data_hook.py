"""The hook alone, then in a run: a broken file ends it before the first iteration."""

import json
import logging
import shutil
from types import SimpleNamespace

import pytest

from tempseg_mm.datasets.readable import BrokenDataError, ReadablePart
from tempseg_mm.engine.hooks import check_data_hook
from tempseg_mm.engine.hooks.check_data_hook import CheckDataHook


class Data:
    """A data set of files whose bytes are ``b'whole'``, or else broken; counts what is read."""

    def __init__(self, folder, num_files=4):
        self.paths = [folder / f'{i}.jpg' for i in range(num_files)]
        self.num_read = 0
        for path in self.paths:
            path.write_bytes(b'whole')

    def readable_parts(self):
        return [ReadablePart((str(path),), lambda path=path: self.verify(path)) for path in self.paths]

    def verify(self, path):
        self.num_read += 1
        if path.read_bytes() != b'whole':
            raise OSError(f'{path} is broken')


@pytest.fixture
def data(tmp_path):
    (tmp_path / 'data').mkdir()
    return Data(tmp_path / 'data')


def loop(data):
    return SimpleNamespace(dataloader=SimpleNamespace(dataset=data))


@pytest.fixture
def runner(tmp_path, data):
    return SimpleNamespace(work_dir=str(tmp_path / 'work'), train_loop=loop(data), val_loop=None, test_loop=loop(data),
                           logger=logging.getLogger('test_check_data'))


def test_what_was_found_whole_is_not_read_again(runner, data):
    for _ in range(2):
        CheckDataHook(workers=2).before_train(runner)
    CheckDataHook().before_test(runner)
    assert data.num_read == 4
    data.paths[2].write_bytes(b'whole again')  # another size
    with pytest.raises(BrokenDataError, match=r'1 of 4 frames cannot be used:\n  .*2\.jpg is broken'):
        CheckDataHook().before_train(runner)
    assert data.num_read == 8


def test_all_faults_are_named_and_nothing_is_remembered(runner, data, tmp_path):
    for i in (1, 3):
        data.paths[i].write_bytes(b'')
    for stage in ('before_train', 'before_test'):
        with pytest.raises(BrokenDataError) as error:
            getattr(CheckDataHook(workers=1), stage)(runner)
        assert error.value.faults == [f'{data.paths[i]} is broken' for i in (1, 3)]
    assert not (tmp_path / 'work').exists()


def test_data_of_the_validation_are_read_before_training(runner, data, tmp_path):
    (tmp_path / 'val').mkdir()
    runner.val_loop = loop(Data(tmp_path / 'val'))
    (tmp_path / 'val/0.jpg').write_bytes(b'')
    with pytest.raises(BrokenDataError, match=r'val/0\.jpg is broken'):
        CheckDataHook().before_train(runner)


@pytest.mark.parametrize('content', [b'', b'\xff', b'{}', b'[' * 100_000])
def test_memory_that_cannot_be_read_means_to_look_again(runner, data, tmp_path, content):
    (tmp_path / 'work').mkdir()
    path = tmp_path / 'work/checked_data.json'
    path.write_bytes(content)
    CheckDataHook().before_train(runner)
    assert data.num_read == 4 and len(json.loads(path.read_text())) == 1


def test_memory_is_bounded(runner, data, tmp_path):
    for length in range(20):
        data.paths[0].write_bytes(b'whole')
        data.paths = data.paths[:1] * (length + 1)
        CheckDataHook().before_train(runner)
    assert len(json.loads((tmp_path / 'work/checked_data.json').read_text())) == check_data_hook.MOST_REMEMBERED


def test_limit(runner, data, tmp_path, caplog):
    CheckDataHook(workers=1, limit=-1).before_train(runner)
    assert data.num_read >= 1 and not (tmp_path / 'work').exists()
    assert '3 of 4 frames were not checked' in caplog.text


def test_data_that_are_no_files(runner):
    runner.train_loop = loop([1, 2, 3])
    CheckDataHook().before_train(runner)


@pytest.mark.parametrize('rank', [0, 1])
def test_processes_share_the_work_and_all_of_them_stop(runner, data, monkeypatch, rank):
    data.paths[3].write_bytes(b'')
    said = []
    monkeypatch.setattr(check_data_hook, 'get_dist_info', lambda: (rank, 2))
    monkeypatch.setattr(check_data_hook, 'broadcast_object_list', said.append)
    monkeypatch.setattr(check_data_hook, 'all_gather_object', lambda mine: [mine, (['other.jpg is broken'], 2, [])])
    with pytest.raises(BrokenDataError, match=r'of 4 frames cannot be used(?s:.*)other\.jpg is broken') as error:
        CheckDataHook(workers=1).before_train(runner)
    assert data.num_read == 2 and said == [[None]]
    assert ('3.jpg' in str(error.value)) == (rank == 1)


@pytest.fixture
def broken_root(synthetic_root, tmp_path):
    root = tmp_path / 'broken'
    shutil.copytree(synthetic_root, root)
    for split in ('train', 'test'):
        path = root / f'JPEGImages/32p/{split}_001/00004.jpg'
        path.write_bytes(path.read_bytes()[:-200])  # OpenCV would fill it up with gray and go on
    return str(root)


@pytest.mark.parametrize('part', ['train', 'test'])
def test_a_run_stops_before_its_first_iteration(make_runner, broken_root, part):
    runner = make_runner(**{f'{part}_dataloader.dataset.data_root': broken_root})
    with pytest.raises(BrokenDataError, match=rf'1 of 12 frames .*\n.*{part}_001/00004\.jpg cannot be decoded'):
        getattr(runner, part)()
    assert runner.iter == 0
