import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tempseg_mm.runtime.folder_lock import locked

HOLD = """
import subprocess, sys, time
from tempseg_mm.runtime.folder_lock import locked
with locked(sys.argv[1]) as descriptor:
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=(descriptor,))
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_told_who_is_there(tmp_path):
    with locked(tmp_path / 'out'):
        with pytest.raises(BlockingIOError, match=rf'out is being written by process {os.getpid()} on '
                                                  rf'{socket.gethostname()}.*wait for its end'):
            with locked(tmp_path / 'out'):
                pass
        with locked(tmp_path / 'other'):
            pass
    with locked(tmp_path / 'out'):
        pass


def test_an_error_inside_gives_the_folder_free(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_the_lock_of_a_dead_process_is_taken_over_but_not_that_of_its_children(tmp_path):
    process = subprocess.Popen([sys.executable, '-c', HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    with pytest.raises(BlockingIOError, match=f'process {process.pid} on .*or by what it started'):
        with locked(tmp_path):
            pass
    os.kill(child, signal.SIGKILL)
    end = time.monotonic() + 10
    while True:
        try:
            with locked(tmp_path):
                return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
