"""Training and testing killed at random moments, in mid-write above all: what is left is whole, and goes on exactly."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.flow.flo_file import read_flo
from tempseg_mm.runtime.atomic import BESIDE

ROOT = Path(__file__).resolve().parents[2]
KILLS = 12

# Imports everything once, then forks a child for each run that it is asked for, and kills it some seconds after its
# start, or some iterations and a part of one after its first. A child takes about as long to force bytes to the disk as
# to compute, so that many a kill meets a file in mid-write.
ZYGOTE = r"""
import json, os, signal, sys, time, traceback
from pathlib import Path
import torch
import torch._dynamo, matplotlib.figure, matplotlib.backends.backend_agg  # a run imports them late: seconds a child
import mmengine.runner.runner
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
import tempseg_mm.datasets, tempseg_mm.engine, tempseg_mm.models
from tempseg_mm.apis.config import use_device
from tempseg_mm.apis.testing import run_test

torch.set_num_threads(1)
use_device('cpu')  # a GPU cannot be shared with a fork
mmengine.runner.runner.collect_env = dict
Config.pretty_text = ''
fsync = os.fsync
tick = time.monotonic()


def slow_fsync(descriptor):
    time.sleep(min(0.3 * (time.monotonic() - tick), 0.2))
    fsync(descriptor)


class Ticks(Hook):
    name = 'start'

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        global tick
        tick = time.monotonic()
        with open(TICKS, 'a') as file:
            file.write(f'{self.name} {runner.iter}\n')
        self.name = 'iter'


def work(what, options):
    os.fsync = slow_fsync
    cfg = Config(json.loads(Path(CONFIG).read_text()))
    cfg.merge_from_dict(options)
    if what == 'test':
        run_test(cfg)
    else:
        runner = Runner.from_cfg(cfg)
        runner.register_hook(Ticks())
        runner.train()


def child(what, options):
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1), os.dup2(log, 2)
    try:
        work(what, options)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def outcome(pid, seconds, iterations):
    begin = last = time.monotonic()
    size, pace, end = TICKS.stat().st_size, 0.1, begin + (300 if seconds is None else seconds)
    while time.monotonic() < end:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return os.waitpid(pid, 0)[1]
        if iterations is not None and TICKS.stat().st_size != size:
            size, pace, last = TICKS.stat().st_size, time.monotonic() - last, time.monotonic()
            iterations -= 1
            if iterations < 1:
                end = last + (iterations + 1) * min(pace, 1)
                iterations = None
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 'killed'


print('ready', flush=True)
for line in sys.stdin:
    CONFIG, LOG, what, options, seconds, iterations = json.loads(line)
    TICKS = Path(LOG).with_name('ticks')
    TICKS.touch()
    pid = os.fork() or child(what, options)
    print(outcome(pid, seconds, iterations), flush=True)
"""


@pytest.fixture(scope='module')
def zygote():
    """The process that forks the others."""
    command = [sys.executable, '-c', ZYGOTE.replace('\\\\\\\\', '\\\\')]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    yield process
    process.stdin.close()
    assert process.wait(timeout=30) == 0


@pytest.fixture
def start(tiny_config, tmp_path, zygote):
    """Runs ``'train'`` or ``'test'`` of the tiny config; kills it after some seconds or iterations, or awaits its end.

    Returns how long it ran.
    """
    cfg = tiny_config(**{
        'train_cfg.max_iters': 10_000, 'default_hooks.checkpoint.interval': 1, 'param_scheduler.generator.0.end': 100,
        'default_hooks.checkpoint.max_keep_ckpts': 2, 'default_hooks.heartbeat': None, 'log_level': 'ERROR',
        'visualizer.vis_backends': []})
    for name in [name for name, hook in cfg.default_hooks.items() if hook is None]:
        del cfg.default_hooks[name]
    flow = dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir=str(tmp_path / 'flow'))
    cfg.train_dataloader.dataset.pipeline = [
        dict(type='LoadClip', with_flow=False), dict(type='LoadFlow', provider=flow),
        dict(type='ClipRandomAffine', degrees=10, flip=0.5), dict(type='PackClip')]
    (tmp_path / 'config.json').write_text(json.dumps(cfg.to_dict()))

    def run(what, seconds=None, iterations=None, **options):
        began = time.monotonic()
        request = [str(tmp_path / 'config.json'), str(tmp_path / 'log'), what, options, seconds, iterations]
        zygote.stdin.write(json.dumps(request) + '\n')
        zygote.stdin.flush()
        outcome = zygote.stdout.readline().strip()
        expected = {'0', 'killed'} if seconds or iterations else {'0'}
        assert outcome in expected, outcome + (tmp_path / 'log').read_text()[-3000:]
        return time.monotonic() - began
    return run


def parts(folder):
    """What dead writers left."""
    return [path for path in folder.rglob('.*') if BESIDE.fullmatch(path.name)]


def require_whole(folder):
    """Read every checkpoint; returns the number of the newest."""
    paths = [path for path in folder.glob('*.pth') if path not in parts(folder)]
    for path in paths:
        assert torch.load(path, weights_only=True)['meta']['iter'] == int(path.stem.removeprefix('iter_'))
    assert len(paths) <= 3  # two to keep, and one that was about to be removed
    pointer = folder / 'last_checkpoint'
    assert not pointer.exists() or Path(pointer.read_text()) in paths
    newest = newest_complete(folder)
    assert (newest is None) == (not paths)
    return 0 if newest is None else int(newest.stem.removeprefix('iter_'))


@pytest.mark.slow
def test_training_killed_at_twelve_random_moments_loses_nothing(start, tmp_path):
    pace = start('train', **{'train_cfg.max_iters': 2, 'work_dir': str(tmp_path / 'first')})
    moments = random.Random(4)
    folder, reached, in_mid_write = tmp_path / 'work', [], 0
    for _ in range(KILLS):
        if moments.random() < 0.3:
            start('train', pace * moments.random(), resume=True)
        else:
            start('train', iterations=moments.uniform(1, 5), resume=True)
        reached.append(require_whole(folder) if folder.exists() else 0)
        in_mid_write += bool(parts(folder))
        assert len(parts(folder)) <= 1  # each run has removed what the one before it left
    assert reached == sorted(reached) and len(set(reached)) > 5 and in_mid_write
    ticks = [line.split() for line in (tmp_path / 'ticks').read_text().splitlines()]
    starts = [int(number) for name, number in ticks if name == 'start'][1:]
    assert set(starts) <= {0, *reached} and len(set(starts)) > 5  # every run went on where the one before it had come

    last = reached[-1] + 2
    start('train', resume=True, **{'train_cfg.max_iters': last})
    assert require_whole(folder) == last and parts(folder) == []
    start('train', **{'train_cfg.max_iters': last, 'work_dir': str(tmp_path / 'uninterrupted'),
                      'default_hooks.checkpoint.interval': 1000})
    killed, never = (torch.load(tmp_path / name / f'iter_{last}.pth', weights_only=True)['state_dict']
                     for name in ('work', 'uninterrupted'))
    assert [name for name, value in never.items() if not torch.equal(value, killed[name])] == []
    flows = [read_flo(path) for path in (tmp_path / 'flow').rglob('*.flo')]
    assert len(flows) >= 5 and all(flow.shape == (32, 48, 2) for flow in flows)


@pytest.mark.slow
def test_a_test_killed_at_random_moments_leaves_whole_files(start, tmp_path):
    moments, folder = random.Random(2), tmp_path / 'work/test'
    pace = start('test')
    for _ in range(6):
        shutil.rmtree(folder, ignore_errors=True)
        start('test', pace * moments.uniform(0.2, 1))
        for path in set(folder.rglob('*.*')) - set(parts(folder)):
            if path.suffix == '.png':
                Image.open(path).load()
            elif path.suffix == '.json':
                json.loads(path.read_text())
    start('test')
    assert len([path for path in folder.rglob('*.png') if path not in parts(folder)]) == 12
