"""Two real processes on the CPU against one; the launches are shared by the tests of this file."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import two_processes
from torch import nn
from torch.distributed import HashStore, TCPStore

from tempseg_mm.datasets.synthetic.dataset import write_davis_layout
from tempseg_mm.datasets.synthetic.draw import SceneParams
from tempseg_mm.runtime import processes
from tempseg_mm.runtime.processes import Heartbeat, wait_for_all, without_wrappers

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SCENE = dict(num_frames=6, height=32, width=48, max_speed=1.5, occluders=0)
NUM_SEQUENCES = dict(train=2, test=3)


def torchrun(*arguments):
    """Start two processes that meet at a free port; gives the launcher's process."""
    return subprocess.Popen(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2',
         str(ROOT / 'tests/two_processes.py'), *map(str, arguments)],
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Where the runs write, with a data set of three test sequences: no multiple of two."""
    folder = tmp_path_factory.mktemp('processes')
    write_davis_layout(str(folder / 'data'), scene=SceneParams(**SCENE), num_sequences=NUM_SEQUENCES)
    return folder


@pytest.fixture
def config(tiny_config, folder):
    path = folder / 'config.py'
    dataset = dict(data_root=str(folder / 'data'), num_sequences=NUM_SEQUENCES, scene=SCENE)
    cfg = tiny_config(**{f'{loader}.dataset.{key}': value for loader in ('train_dataloader', 'test_dataloader')
                         for key, value in dataset.items()})
    # The test's: what is followed must not differ either.
    cfg.model.window = dict(type='ObjectWindow', size=(32, 48), share=0.3, aspect=(0.5, 2.5))
    if not path.exists():
        cfg.dump(path)
    return cfg


@pytest.fixture(scope='module')
def kept():
    return {}


@pytest.fixture
def runs(config, folder, kept, on_cpu):
    """What one process found, what each of two did, and how these ended: rank 1 dies when all else is done."""
    if not kept:
        out = folder / 'two'
        out.mkdir()
        launcher = torchrun(folder / 'config.py', out)
        text, _ = launcher.communicate(timeout=240)
        end = SimpleNamespace(time=time.time(), status=launcher.returncode, text=text)
        if not all((out / f'rank{rank}.pth').exists() for rank in range(2)):
            pytest.fail(f'two processes failed:\n{text[-6000:]}')
        two = [torch.load(out / f'rank{rank}.pth', weights_only=True) for rank in range(2)]
        alone = folder / 'one'
        one = dict(accumulate=two_processes.accumulate(config, alone),
                   test=two_processes.test(config, alone, str(out / 'train/iter_3.pth')))
        kept.update(one=one, two=two, end=end)
    return SimpleNamespace(**kept)


def test_halves_of_a_batch_give_the_gradient_of_the_whole(runs):
    for part in ('generator', 'adversary'):
        whole = runs.one['accumulate']['gradients'][part]
        assert len(whole) == 2 and all(gradient.abs().max() > 1e-4 for gradient in whole)  # four iterations, two steps
        for rank in range(2):
            halves = runs.two[rank]['accumulate']['gradients'][part]
            for one, two in zip(whole, halves, strict=True):
                torch.testing.assert_close(two, one, atol=1e-6, rtol=0)
    one, two = (found['accumulate']['weights'] for found in (runs.one, runs.two[0]))
    torch.testing.assert_close(two, one, atol=1e-6, rtol=0)


def test_parameters_stay_the_same_on_both(runs):
    for run in ('accumulate', 'train'):
        first, second = (found[run]['weights'] for found in runs.two)
        assert torch.equal(first, second)


def test_each_has_clips_of_its_own_and_their_flow(runs):
    whole = runs.one['accumulate']['seen']
    for (clips, flow), *halves in zip(whole, *(found['accumulate']['seen'] for found in runs.two), strict=True):
        assert flow == (2, 2, 2, 32, 48) and [half[1] for half in halves] == [(1, 2, 2, 32, 48)] * 2
        assert [half[0][0] for half in halves] == clips  # of the batch, the first has one clip, the second the other
    first, second = ([clip for clips, _ in found['train']['seen'] for clip in clips] for found in runs.two)
    assert len(first) == len(second) == 3 and not set(first) & set(second)


def test_the_test_is_shared_and_its_results_are_those_of_one_process(runs, folder):
    assert [found['test']['walked'] for found in runs.two] == [['test_000', 'test_002'], ['test_001']]
    one, two = ({str(path.relative_to(folder / name / 'test')): path.read_bytes()
                 for kind in ('masks/**/*.png', 'scores.*', 'sequences/*.json')
                 for path in (folder / name / 'test').glob(kind)} for name in ('one', 'two'))
    assert len(one) == 3 * 6 + 2 + 3
    assert one == two
    tables = [runs.one['test']['tables'], *(found['test']['tables'] for found in runs.two)]
    assert tables[0] == tables[1] == tables[2] and tables[0][0].count('J_mean') == 4
    assert b'"mean": 0.0,' not in one['scores.json']  # the masks are worth comparing


def test_a_process_without_sequences_gets_the_scores_too(runs):
    assert [found['scores']['J_mean'] for found in runs.two] == [1.0, 1.0]


def test_a_process_that_dies_takes_the_others_down(runs, folder):
    dead, end = folder / 'two/dead/test', runs.end
    assert end.status != 0 and end.time - float((dead / 'died').read_text()) < 60
    assert re.search(r'rank +: 1 .*\n *exitcode +: 1 ', end.text), end.text[-3000:]
    assert not (dead / 'scores.json').exists()


def test_one_process_waits_for_nobody():
    wait_for_all()


def test_wrappers_are_taken_off_and_put_back(monkeypatch):
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module
    monkeypatch.setattr('tempseg_mm.runtime.processes.is_model_wrapper', lambda module: isinstance(module, Wrapper))
    model = nn.ModuleDict(dict(a=Wrapper(nn.Linear(1, 1)), b=nn.Linear(1, 1)))
    before = dict(model.named_children())
    with pytest.raises(ZeroDivisionError), without_wrappers(model) as bare:
        assert bare is model and model['a'] is before['a'].module and model['b'] is before['b']
        raise ZeroDivisionError
    assert dict(model.named_children()) == before


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def make(monkeypatch):
    """Heartbeats of a run of two, quick ones; all are stopped at the end."""
    made = []

    def beat(store, rank, **options):
        monkeypatch.setattr(processes, 'get_dist_info', lambda: (rank, 2))
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
from tempseg_mm.runtime.processes import Heartbeat
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
