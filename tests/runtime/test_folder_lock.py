import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tempseg_mm.runtime.folder_lock import InUseError, locked, locked_file

HOLD = """
import multiprocessing, sys, time
from tempseg_mm.runtime.folder_lock import locked
with locked(sys.argv[1]):
    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))
    child.start()
    print(child.pid, flush=True)
    time.sleep(60)
"""


def folder(path):
    return locked(path, option='--out')


def file(path):
    return locked_file(path, option='--out')


@pytest.mark.parametrize('held', [folder, file])
def test_a_second_run_is_told_who_is_there_and_the_way_out(tmp_path, held):
    with held(tmp_path / 'out'):
        with pytest.raises(InUseError, match=rf'out is being written by process {os.getpid()} on {socket.gethostname()}'
                                             r' since 20\d\d-.*\(.+\): wait until it ends, stop it, or .* \(--out\)$'):
            with held(tmp_path / 'out'):
                pass
        with held(tmp_path / 'other'):
            pass
    with held(tmp_path / 'out'):
        pass


def test_several_folders_by_whatever_name(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path)
    with locked(tmp_path / 'a', tmp_path / 'b', tmp_path / 'link/a', f'{tmp_path}/b/'):
        for name in ('link/a', 'b'):
            with pytest.raises(InUseError), locked(tmp_path / 'c', tmp_path / name):
                pass
    with locked(tmp_path / 'c'):
        pass


@pytest.mark.parametrize('held', [folder, file])
def test_nothing_is_left_but_what_the_run_has_written(tmp_path, held):
    with held(tmp_path / 'deep/out'):
        pass
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / 'deep/out'):
        (tmp_path / 'deep/kept').mkdir()
    assert [path.name for path in tmp_path.rglob('*')] == ['deep', 'kept']


def test_an_error_inside_gives_the_folder_free(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_no_obstacle_even_where_its_workers_live(tmp_path):
    process = subprocess.Popen([sys.executable, '-c', HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    worker = int(process.stdout.readline())
    with pytest.raises(InUseError, match=f'process {process.pid} on'), locked(tmp_path):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    began = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - began < 0.4
    os.kill(worker, signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []
