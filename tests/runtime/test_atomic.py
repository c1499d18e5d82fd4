import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tempseg_mm.runtime.atomic import HOST, folder_beside, remove_leftovers, written_beside

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture
def order(monkeypatch):
    """What is done to files, in order."""
    calls = []
    replace, fsync = os.replace, os.fsync

    def name(descriptor):
        return os.readlink(f'/proc/self/fd/{descriptor}')

    monkeypatch.setattr(os, 'fsync', lambda fd: calls.append(f'flush {name(fd)}') or fsync(fd))
    monkeypatch.setattr(os, 'replace', lambda a, b: calls.append('replace') or replace(a, b))
    return calls


@pytest.mark.skipif(not Path('/proc/self/fd').exists(), reason='asks /proc for the names of open files')
def test_a_durable_file_is_on_the_disk_before_it_takes_its_place(tmp_path, order):
    with written_beside(tmp_path / 'a.txt') as beside:
        beside.write_text('new')
    assert order == ['replace']
    order.clear()
    with written_beside(tmp_path / 'a.txt', durable=True) as beside:
        beside.write_text('new')
    assert order == [f'flush {beside}', 'replace', f'flush {tmp_path}']


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named_with_the_file_and_what_is_free(tmp_path, number):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(OSError, match=r'no space: 2\.0 MiB or more .* MiB are free.*untouched.*write elsewhere.*a\.txt'
                       ) as error, written_beside(path) as beside:
        beside.write_bytes(bytes(2 << 20))
        raise OSError(number, 'as write(2) says it')
    assert error.value.errno == errno.ENOSPC and error.value.filename == str(path)
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_a_library_that_hides_the_number_is_seen_through(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(100, 100, 0))
    with pytest.raises(OSError, match='no space'), written_beside(tmp_path / 'a.pth'):
        raise RuntimeError('PytorchStreamWriter failed writing file')


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(IsADirectoryError), written_beside(tmp_path / 'a.txt'):
        raise IsADirectoryError(errno.EISDIR, 'is a folder')


def test_a_file_larger_than_the_process_may_write(tmp_path):
    """A real limit of the system; in a process of its own, which dies of an unclear error if ours is not there."""
    script = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from tempseg_mm.runtime.atomic import written_beside
with written_beside(sys.argv[1]) as beside:
    beside.write_bytes(bytes(3000))
"""
    path = tmp_path / 'a.bin'
    path.write_bytes(b'old')
    done = subprocess.run([sys.executable, '-c', script, path], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and 'no space' in done.stderr.splitlines()[-1] and str(path) in done.stderr
    assert path.read_bytes() == b'old' and list(tmp_path.iterdir()) == [path]


def test_a_folder_is_there_with_all_its_files_or_as_before(tmp_path):
    folder = tmp_path / 'new/a'
    for name in ('old', 'young'):
        with folder_beside(folder) as beside:
            (beside / name).touch()
            assert list(folder.glob('*')) == [folder / 'old'] * (name == 'young')
    with pytest.raises(KeyboardInterrupt), folder_beside(folder) as beside:
        (beside / 'half').touch()
        raise KeyboardInterrupt
    assert sorted(tmp_path.rglob('*')) == [tmp_path / 'new', folder, folder / 'young']


def test_only_what_the_dead_of_this_machine_left_is_removed(tmp_path):
    with subprocess.Popen([sys.executable, '-c', '']) as process:
        pass
    dead = [f'.iter_1.{HOST}-{process.pid}.pth', f'.a.b.{HOST}-{process.pid}']
    stays = [f'.iter_1.{HOST}-{os.getpid()}.pth', f'.iter_1.elsewhere-{process.pid}.pth', '.hidden', 'iter_1.pth',
             f'.iter_1.{HOST}-1.pth']
    (tmp_path / 'deep').mkdir()
    for folder in (tmp_path, tmp_path / 'deep'):
        for name in dead + stays:
            (folder / name).touch()
    left = tmp_path / f'.cutout.{HOST}-{process.pid}'
    left.mkdir()
    (left / dead[0]).touch()
    removed = remove_leftovers(tmp_path)
    assert sorted(removed) == sorted([left, *(folder / name for folder in (tmp_path, tmp_path / 'deep')
                                              for name in dead)])
    assert {path.name for path in (tmp_path / 'deep').iterdir()} == set(stays)


def test_what_a_killed_writer_leaves_is_recognised(tmp_path):
    script = """
import os, signal, sys
from tempseg_mm.runtime.atomic import written_beside
with written_beside(sys.argv[1]) as beside:
    beside.write_text('half')
    os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / 'a.json'
    subprocess.run([sys.executable, '-c', script, path], cwd=ROOT)
    left, = tmp_path.iterdir()
    assert left.read_text() == 'half' and remove_leftovers(tmp_path) == [left]
