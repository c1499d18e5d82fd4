"""The order, the bookkeeping and the faults of a table; scripts that leave what the tools would stand in for them."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from tempseg_mm.paper_tables import run
from tempseg_mm.paper_tables.rows import Preset, Row
from tempseg_mm.paper_tables.run import TableRun
from tempseg_mm.runtime.folder_lock import locked

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
randomness = dict(seed=0)
model = dict(width=1)
train_cfg = dict(max_iters=2)
default_hooks = dict(finetune=dict(type='OnlineFinetuneHook', finetuner=dict(type='OnlineFinetuner', steps=3)))
test_dataloader = dict(
    dataset=dict(type='DAVISDataset', data_root={root!r}, split='test', resolution='32p', test_mode=True))
"""
TRAIN = """
import os, pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
with open(os.environ['CALLS'], 'a') as calls:
    calls.write(f'train {folder.parent.name} {folder.name} {"--resume" in sys.argv} {os.environ["TEMPSEG_BASE"]}\\n')
if os.environ.get('FAIL') == folder.parent.name:
    print('a word about the fault')
    sys.exit(3)
with zipfile.ZipFile(folder / 'iter_2.pth', 'w') as checkpoint:
    checkpoint.writestr('iter_2/data.pkl', '')
(folder / 'last_checkpoint').write_text(str(folder / 'iter_2.pth'))
"""
TEST = """
import json, os, pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
with open(os.environ['CALLS'], 'a') as calls:
    calls.write(f'test {folder.parent.name} {folder.name} {"/".join(sys.argv[2].split("/")[-3:])}\\n')
(folder / 'argv').write_text(' '.join(sys.argv[3:]))
print('12:00:00  [1/1] dog: J 0.5; fine-tuned on 2 masks, 3 steps in 2.5 s, IoU on them 0.3 -> 0.9')
(folder / 'test').mkdir(exist_ok=True)
(folder / 'test' / 'scores.json').write_text(json.dumps(dict(overall=dict(J=dict(mean=0.5), F=dict(mean=0.25)))))
"""
ROWS = (
    Row('bare', 'bare', 'bare.py', weights='full'),
    Row('untrained', 'untrained', '{base}.py', weights='none'),
    Row('full', 'Full', '{base}.py', 85.1),
    Row('foreign', 'foreign', '{light}.py', needs=(('SOME_ROOT', 'a folder'),)),
)


@pytest.fixture
def root(tmp_path, synthetic_root):
    """A checkout with two configs and stand-ins for the tools."""
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs/base.py').write_text(CONFIG.format(root=synthetic_root))
    (tmp_path / 'configs/bare.py').write_text(
        "_base_ = './{{$TEMPSEG_BASE:nothing}}.py'\ndefault_hooks = dict(finetune=None)\n")
    (tmp_path / 'configs/light.py').write_text("_base_ = './base.py'\nmodel = dict(width=2)\n")
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools/train.py').write_text(TRAIN)
    (tmp_path / 'tools/test.py').write_text(TEST)
    return tmp_path


@pytest.fixture
def make_table(root, monkeypatch):
    monkeypatch.setenv('CALLS', str(root / 'calls'))
    monkeypatch.setattr(run, 'COMMANDS', {name: [root / f'tools/{name}.py'] for name in ('train', 'test')})
    for name in ('SOME_ROOT', 'TEMPSEG_BASE'):
        monkeypatch.delenv(name, raising=False)

    def make(only=None, **changes):
        arguments = dict(dict(seeds=[0], root=root, rows=ROWS, out_dir=root / 'out'), **changes)
        table = TableRun(preset=Preset('base', 'light'), **arguments)
        table.run = partial(table.run, only=only)
        return table
    return make


@pytest.fixture
def calls(root):
    """What the tools were called for since the last time one asked."""
    def read():
        lines = path.read_text().splitlines() if (path := root / 'calls').exists() else []
        path.unlink(missing_ok=True)
        return lines
    return read


def test_weights_are_trained_once_and_tested_by_every_row_that_shares_them(make_table, calls):
    assert make_table().run() == []
    assert calls() == ['train full seed0 False base', 'test bare seed0 full/seed0/iter_2.pth',
                       'test full seed0 full/seed0/iter_2.pth', 'test untrained seed0 none']


def test_each_seed_is_a_run_of_its_own(make_table, calls):
    make_table(seeds=[0, 4], only=['full'], log=(said := []).append).run()
    assert [' train, see ' in line for line in said] == [True, False, False] * 2  # then the test, then its end
    assert calls() == ['train full seed0 False base', 'test full seed0 full/seed0/iter_2.pth',
                       'train full seed4 False base', 'test full seed4 full/seed4/iter_2.pth']


def test_results(make_table):
    table = make_table()
    assert table.result(ROWS[0], 0) is None
    table.run()
    bare, untrained, full = (table.result(row, 0) for row in ROWS[:3])
    assert bare['scores'] == dict(J=dict(mean=0.5), F=dict(mean=0.25)) and bare['commit'] == 'unknown'
    assert bare['train_seconds'] == full['train_seconds'] > 0 and untrained['train_seconds'] == 0
    assert full['finetune_seconds'] == 2.5
    assert set(full) == {'fingerprint', 'seconds', 'commit', 'scores', 'finetune_seconds', 'train_seconds'}


OVERRIDDEN = (
    Row('full', 'Full', '{base}.py'),
    Row('steps_5', '5 steps', '{base}.py', weights='full', overrides=('default_hooks.finetune.finetuner.steps=5',)),
    Row('wide', 'wide', '{base}.py', overrides=('model.width=3',)),
)


def test_overrides_of_a_row_reach_its_test_and_its_own_training_alone(make_table, calls, root):
    table = make_table(rows=OVERRIDDEN, options=['default_hooks.finetune.finetuner.steps=4'])
    assert table.run() == []
    assert calls() == ['train full seed0 False base', 'test full seed0 full/seed0/iter_2.pth',
                       'test steps_5 seed0 full/seed0/iter_2.pth', 'train wide seed0 False base',
                       'test wide seed0 wide/seed0/iter_2.pth']
    given = {key: (root / f'out/{key}/seed0/argv').read_text() for key in ('full', 'steps_5', 'wide')}
    assert all(text.endswith('randomness.seed=0') for text in given.values())
    key = 'default_hooks.finetune.finetuner.steps'
    assert f'{key}=4 {key}=5' in given['steps_5'] and 'steps=5' not in given['full']
    assert table.config(OVERRIDDEN[1], 0).default_hooks.finetune.finetuner.steps == 5
    assert (table.config(OVERRIDDEN[2], 0).model.width, table.config(OVERRIDDEN[0], 0).model.width) == (3, 1)
    make_table(rows=[*OVERRIDDEN[:2], Row('wide', 'wide', '{base}.py', overrides=('model.width=4',))],
               options=['default_hooks.finetune.finetuner.steps=4']).run(resume=True)
    assert calls() == ['train wide seed0 False base', 'test wide seed0 wide/seed0/iter_2.pth']


def test_what_has_the_same_settings_is_made_once(make_table, calls):
    same = Row('same', 'what the base has already', '{base}.py', overrides=('model.width=1',))
    (table := make_table(rows=[ROWS[2], same])).run()
    assert calls() == ['train full seed0 False base', 'test full seed0 full/seed0/iter_2.pth']
    assert table.result(same, 0) == table.result(ROWS[2], 0)


def test_what_another_table_has_is_taken(make_table, calls, root):
    make_table(rows=OVERRIDDEN[:1]).run()
    calls()
    other = make_table(rows=OVERRIDDEN, out_dir=root / 'other', reuse=[root / 'out'], only=['full', 'steps_5'])
    other.run()
    assert calls() == ['test steps_5 seed0 full/seed0/iter_2.pth']
    assert other.result(OVERRIDDEN[0], 0)['train_seconds'] > 0


def test_what_is_there_is_not_overwritten_unasked_and_skipped_when_going_on(make_table, calls):
    make_table(only=['full']).run()
    calls()
    with pytest.raises(FileExistsError, match='--resume continues'):
        make_table().run()
    assert calls() == []
    make_table().run(resume=True)
    assert calls() == ['test bare seed0 full/seed0/iter_2.pth', 'test untrained seed0 none']


def test_another_config_is_run_anew_from_where_it_bites(make_table, calls, root, synthetic_root):
    make_table(only=['full']).run()
    calls()
    make_table(only=['full'], options=['train_cfg.max_iters=9']).run(resume=True)
    assert calls() == ['train full seed0 False base', 'test full seed0 full/seed0/iter_2.pth']
    text = CONFIG.format(root=synthetic_root).replace('max_iters=2', 'max_iters=9').replace('steps=3', 'steps=5')
    (root / 'configs/base.py').write_text(text)  # fine-tuning is nothing to the training
    make_table(only=['full']).run(resume=True)
    assert calls() == ['test full seed0 full/seed0/iter_2.pth']


def test_a_training_that_was_stopped_goes_on(make_table, calls, monkeypatch, root):
    monkeypatch.setenv('FAIL', 'full')
    make_table(only=['full']).run()
    calls()
    torch.save({}, root / 'out/full/seed0/iter_1.pth')
    monkeypatch.delenv('FAIL')
    make_table(only=['full']).run(resume=True)
    assert calls()[0] == 'train full seed0 True base'


def test_a_row_that_fails_is_named_and_the_others_run(make_table, calls, monkeypatch, root):
    monkeypatch.setenv('FAIL', 'full')
    fault, = make_table().run()
    assert 'Full, seed 0: exit status 3' in fault and 'a word about the fault' in fault
    assert str(root / 'out/full/seed0/train.log') in fault
    assert calls() == ['train full seed0 False base', 'test untrained seed0 none']


def test_rows_that_lack_data_are_left_out(make_table, monkeypatch, calls):
    table = make_table(only=['foreign'])
    assert table.run() == ['foreign: set SOME_ROOT (a folder)'] and calls() == []
    table = make_table()
    assert table.run() == [] and table.reasons == dict(foreign='set SOME_ROOT (a folder)') and calls()
    monkeypatch.setenv('SOME_ROOT', 'somewhere')
    table.run(resume=True)
    assert calls()[0] == 'train foreign seed0 False base'


def test_rows_whose_data_are_missing_say_so_and_the_others_run(make_table, root, calls):
    (root / 'configs/light.py').write_text((root / 'configs/base.py').read_text())
    (root / 'configs/base.py').write_text(CONFIG.format(root='/nowhere'))
    table, reports = make_table(rows=[*ROWS[:3], Row('light', 'light', '{light}.py')]), []
    fault, = table.run(on_row=lambda: reports.append(dict(table.reasons)))
    assert fault.startswith("bare; untrained; Full: data root '/nowhere' is not a folder")
    assert reports[0] == table.reasons and set(table.reasons) == {'bare', 'untrained', 'full'}
    assert calls() == ['train light seed0 False base', 'test light seed0 light/seed0/iter_2.pth']


def test_bad_arguments(make_table):
    for changes in (dict(seeds=[]), dict(seeds=[1, 1]), dict(jobs=0)):
        with pytest.raises(ValueError, match='one or more different seeds'):
            make_table(**changes)


@pytest.mark.parametrize('before', [{}, dict(TEMPSEG_BASE='mine')])
def test_the_environment_is_as_it_was(make_table, monkeypatch, before):
    monkeypatch.setattr(os, 'environ', os.environ | before)
    make_table(only=['full']).run()
    assert os.environ.get('TEMPSEG_BASE') == before.get('TEMPSEG_BASE')


def waiting(root, own, all_of):  # a script that ends well only if others like it run at the same time
    return ("import pathlib, sys, time\nfolder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])\n"
            f"root = pathlib.Path({str(root)!r})\n(root / ({own} + '.here')).touch()\nend = time.monotonic() + 20\n"
            f"while not all((root / (key + '.here')).exists() for key in {all_of}):\n"
            '    time.sleep(0.01)\n    if time.monotonic() > end: sys.exit(1)\n')


def test_two_jobs_run_at_a_time(make_table, root):
    (root / 'tools/train.py').write_text(waiting(root, 'folder.name', ['seed0', 'seed1']) + TRAIN)
    assert make_table(only=['full'], seeds=[0, 1], jobs=2).run() == []


def test_tests_of_one_training_run_side_by_side(make_table, root):
    (root / 'tools/test.py').write_text(waiting(root, 'folder.parent.name', ['full', 'steps_5']) + TEST)
    assert make_table(rows=OVERRIDDEN[:2], jobs=2).run() == []


def is_running(pid):
    return Path(f'/proc/{pid}').exists() and 'zombie' not in Path(f'/proc/{pid}/status').read_text()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_leaves_nothing_running_and_keeps_what_is_finished(root, number):
    (root / 'tools/train.py').write_text(
        'import os, pathlib, signal, subprocess, sys, time\n'
        f'root = pathlib.Path({str(root)!r})\n'
        "(root / 'calls').touch()\nos.environ['CALLS'] = str(root / 'calls')\n"
        "if 'seed1' in ' '.join(sys.argv):\n"
        '    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'  # it must be killed, and what it started
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    (root / 'pids.part').write_text(f'{os.getpid()} {child.pid}')\n"
        "    os.rename(root / 'pids.part', root / 'pids')\n    time.sleep(60)\n" + TRAIN)
    main = (f'import signal, sys\nsys.path.insert(0, {str(ROOT)!r})\n'
            'signal.signal(signal.SIGINT, signal.default_int_handler)\n'  # what runs in the background ignores it
            'from tempseg_mm.paper_tables import processes, run\nfrom tempseg_mm.paper_tables.rows import Preset, Row\n'
            f"run.COMMANDS = {{name: ['{root}/tools/' + name + '.py'] for name in run.COMMANDS}}\n"
            'from tempseg_mm.runtime.stop_signals import stopped_by_signals\n'
            'processes.PATIENCE = 0.5\n'
            'with stopped_by_signals():\n'
            f"    run.TableRun([Row('full', 'Full', 'base.py')], Preset('base', ''), {str(root / 'out')!r}, "
            f"seeds=[0, 1], root={str(root)!r}).run()\n")
    process = subprocess.Popen([sys.executable, '-c', main], stderr=subprocess.PIPE, text=True,
                               env=dict(os.environ, CALLS=str(root / 'calls')))
    end = time.monotonic() + 60
    while not (root / 'pids').exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    _, text = process.communicate(timeout=30)
    assert process.returncode != 0 and ('KeyboardInterrupt' if number == signal.SIGINT else 'by SIGTERM') in text
    end, pids = time.monotonic() + 5, [int(pid) for pid in (root / 'pids').read_text().split()]
    while any(map(is_running, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(is_running, pids))
    assert sorted(str(path.relative_to(root / 'out')) for path in (root / 'out').rglob('t*ed.json')) == [
        'full/seed0/tested.json', 'full/seed0/trained.json']
    assert not (root / 'out/.lock').exists()


@pytest.mark.parametrize('held', ['out', 'out/full/seed0', 'out/full/seed0/test'])  # by what a killed run has left, too
def test_what_another_run_writes_is_left_alone(make_table, root, calls, held):
    with locked(root / held):
        try:
            said = str(make_table(only=['full']).run())
        except BlockingIOError as error:
            said = str(error)
        assert not (root / 'out/full/seed0/started.json').exists() and calls() == []
    assert f'{root / held} is being written by process {os.getpid()} on ' in said
    assert make_table(only=['full']).run() == []
