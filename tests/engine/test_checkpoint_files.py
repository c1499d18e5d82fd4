import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.fileio import get_file_backend

from tempseg_mm.engine.checkpoint_files import ATOMIC, is_complete, newest_complete, point_to


def saved(path, age, *, damaged=False):
    """A checkpoint written ``age`` seconds ago."""
    torch.save(dict(state_dict=dict(a=torch.zeros(1000))), path)
    if damaged:
        os.truncate(path, path.stat().st_size // 2)
    return aged(path, age)


def aged(path, age):
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))
    return path


@pytest.fixture
def put():
    """What mmengine's ``save_checkpoint`` calls when it is given our arguments."""
    return get_file_backend('x', backend_args=ATOMIC).put


@pytest.mark.parametrize('keep', [0, 1, 100, -1, -22])
def test_a_part_of_a_checkpoint_is_not_complete(tmp_path, keep):
    path = saved(tmp_path / 'iter_1.pth', 0)
    assert is_complete(path)
    path.write_bytes(path.read_bytes()[:keep])
    assert not is_complete(path)


def test_other_files_are_not_complete(tmp_path):
    (tmp_path / 'zeros.pth').write_bytes(bytes(5000))
    assert not is_complete(tmp_path / 'zeros.pth') and not is_complete(tmp_path / 'gone') and not is_complete(tmp_path)


def test_the_pointer_decides(tmp_path):
    """Also against a higher number and a later time: an earlier run of the same folder, a copy of the folder."""
    older = saved(tmp_path / 'iter_20.pth', 50)
    named = saved(tmp_path / 'iter_10.pth', 20)
    saved(tmp_path / 'iter_5.pth', 0)
    point_to(named, tmp_path / 'last_checkpoint')
    aged(tmp_path / 'last_checkpoint', 10)
    assert newest_complete(tmp_path) == named
    named.unlink()
    assert newest_complete(tmp_path) == tmp_path / 'iter_5.pth'
    (tmp_path / 'iter_5.pth').unlink()
    assert newest_complete(tmp_path) == older


def test_one_written_after_the_pointer_is_newer(tmp_path):
    """The run died between the two."""
    point_to(saved(tmp_path / 'iter_9.pth', 20), tmp_path / 'last_checkpoint')
    aged(tmp_path / 'last_checkpoint', 10)
    after = saved(tmp_path / 'iter_10.pth', 5)
    saved(tmp_path / 'iter_11.pth', 1, damaged=True)
    assert newest_complete(tmp_path) == after


@pytest.mark.parametrize('text', ['', 'iter_12.pth', 'gone.pth', 'a\0b', '/', '\0' * 20])
def test_a_pointer_to_nothing_whole(tmp_path, text):
    saved(tmp_path / 'iter_3.pth', 9)
    whole = saved(tmp_path / 'iter_4.pth', 5)
    saved(tmp_path / 'iter_12.pth', 1, damaged=True)
    saved(tmp_path / 'best_J_mean_iter_4.pth', 0)  # not to go on from
    saved(tmp_path / '.iter_13.host-1.pth', 0)
    (tmp_path / 'last_checkpoint').write_text(text)
    assert newest_complete(tmp_path) == whole


def test_a_folder_that_was_moved_and_a_checkpoint_elsewhere(tmp_path):
    path = saved(tmp_path / 'iter_3.pth', 0)
    (tmp_path / 'last_checkpoint').write_text('work_dirs/before/iter_3.pth')
    assert newest_complete(tmp_path) == path
    (tmp_path / 'other').mkdir()
    point_to(path, tmp_path / 'other/last_checkpoint')
    assert newest_complete(tmp_path / 'other') == path


def test_nothing_there(tmp_path):
    assert newest_complete(tmp_path) is None and newest_complete(tmp_path / 'gone') is None
    point_to(tmp_path, tmp_path / 'last_checkpoint')
    point_to(None, tmp_path / 'last_checkpoint')
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_put_whole(tmp_path, put):
    put(b'content', str(tmp_path / 'deep/a.pth'))
    assert (tmp_path / 'deep/a.pth').read_bytes() == b'content'


def test_what_cannot_fit_is_not_begun(tmp_path, put, monkeypatch):
    (tmp_path / 'a.pth').write_bytes(b'old')
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(9 << 20, 8 << 20, 1 << 20))
    monkeypatch.setattr(Path, 'write_bytes', lambda *_: pytest.fail('written'))
    with pytest.raises(OSError, match=r'no space: 2\.0 MiB .* 1\.0 MiB are free.*a\.pth') as error:
        put(bytes(2 << 20), str(tmp_path / 'a.pth'))
    assert error.value.errno == errno.ENOSPC and (tmp_path / 'a.pth').read_bytes() == b'old'


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mounted = shutil.which('mount') and subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip('mounting a tmpfs is not permitted here')
    yield folder
    subprocess.run(['umount', folder], check=True)


@pytest.mark.parametrize('known', [True, False], ids=['told before', 'found out while writing'])
def test_a_disk_that_is_really_full(small_disk, put, monkeypatch, known):
    old = small_disk / 'iter_1.pth'
    put(bytes(600 << 10), old)
    if not known:
        monkeypatch.setattr('tempseg_mm.engine.checkpoint_files.shutil.disk_usage',
                            lambda _, usage=shutil.disk_usage: usage('/'))
    with pytest.raises(OSError, match=r'no space: 0\.\d MiB or more .*untouched.*iter_2\.pth'):
        put(bytes(600 << 10), small_disk / 'iter_2.pth')
    assert list(small_disk.iterdir()) == [old] and old.stat().st_size == 600 << 10
