"""A store in this process stands for that of the run; the last test has two real processes and no launcher."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from torch.distributed import HashStore, TCPStore

from tempseg_mm.runtime import heartbeat
from tempseg_mm.runtime.heartbeat import Heartbeat

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def make(monkeypatch):
    """Heartbeats of a run of two, quick ones; all are stopped at the end."""
    made = []

    def beat(store, rank, **options):
        monkeypatch.setattr(heartbeat, 'get_dist_info', lambda: (rank, 2))
        made.append(Heartbeat(store, **{**dict(interval=0.02, limit=0.4), **options}))
        made[-1].start()
        return made[-1]
    yield beat
    for one in made:
        one.stop()


def test_who_is_silent_for_too_long_is_named(make):
    store, dead, told = HashStore(), [], threading.Event()
    make(store, 0, on_death=lambda text: dead.append(text) or told.set())
    other = make(store, 1)
    assert not told.wait(1)  # longer than the limit: it is slow, but it lives
    other.stop()
    started = time.monotonic()
    assert told.wait(5) and time.monotonic() - started < 2
    assert dead[0].startswith(f'rank 1 (process {os.getpid()} on ') and 'silent for' in dead[0]
    assert not told.clear() and not told.wait(0.2)  # said once


def test_who_has_not_begun_is_waited_for(make):
    dead = []
    make(HashStore(), 0, on_death=dead.append)
    time.sleep(0.8)
    assert dead == []


def test_a_store_that_is_gone_is_a_death(make):
    server = TCPStore('localhost', 0, is_master=True, wait_for_workers=False)
    client = TCPStore('localhost', server.port, is_master=False, timeout=timedelta(seconds=5))
    dead, told = [], threading.Event()
    make(client, 1, on_death=lambda text: dead.append(text) or told.set())
    time.sleep(0.1)
    assert dead == []
    del server
    assert told.wait(10) and 'rank 0 or torchrun' in dead[0]


@pytest.mark.parametrize('interval, limit', [(5, 10), (0, 1), (-1, 5)])
def test_beats_must_fit_into_the_limit(interval, limit):
    with pytest.raises(ValueError, match='longer than two intervals'):
        Heartbeat(HashStore(), interval=interval, limit=limit)


PROCESS = """
import os, time
from datetime import timedelta
from torch import distributed
from tempseg_mm.runtime.heartbeat import Heartbeat
from tempseg_mm.runtime.processes import run_store, wait_for_all
distributed.init_process_group('gloo', timeout=timedelta(seconds=600))
Heartbeat(run_store(), interval=0.2, limit=3).start()
wait_for_all()
if distributed.get_rank() == 1:
    time.sleep(1)
    os._exit(1)
wait_for_all()
"""


@pytest.mark.slow
def test_without_a_launcher_a_dead_process_ends_the_others_and_is_named():
    meeting = TCPStore('localhost', 0, is_master=True, wait_for_workers=False)
    port = meeting.port
    del meeting
    survivor, dead = (subprocess.Popen(
        [sys.executable, '-c', PROCESS], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(os.environ, RANK=str(rank), WORLD_SIZE='2', MASTER_ADDR='localhost', MASTER_PORT=str(port)))
        for rank in range(2))
    text = survivor.communicate(timeout=100)[0] + dead.communicate(timeout=100)[0]
    assert (survivor.returncode, dead.returncode) == (-signal.SIGKILL, 1), text
    assert f'rank 1 (process {dead.pid} on ' in text and 'silent for' in text and '--resume' in text
