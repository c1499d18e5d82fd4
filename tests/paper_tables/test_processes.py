import logging
import subprocess
import threading

import pytest

from tempseg_mm.inference.given_fit import GivenFit
from tempseg_mm.inference.online_finetuner import AdaptedGenerator
from tempseg_mm.paper_tables import processes
from tempseg_mm.paper_tables.processes import Processes, commit_of, finetune_seconds, read_record, write_record


def test_it_sees_its_arguments_and_variables_and_leaves_a_log(tmp_path):
    (tmp_path / 'say.py').write_text("import os, sys\nprint(sys.argv[1:], os.environ['WORD'], file=sys.stderr)\n")
    seconds = Processes().run([tmp_path / 'say.py', 'a', tmp_path.parent / 'b', 3], tmp_path / 'log', dict(WORD='w'))
    assert (tmp_path / 'log').read_text() == f"['a', '{tmp_path.parent / 'b'}', '3'] w\n"
    assert 0 < seconds < 60


def test_a_fault_comes_with_the_end_of_the_log(tmp_path):
    (tmp_path / 'fail.py').write_text("print(*range(9), sep='\\n')\nraise SystemExit(4)\n")
    with pytest.raises(RuntimeError, match=r'exit status 4, see .*log\n  4\n  5\n  6\n  7\n  8$'):
        Processes().run([tmp_path / 'fail.py'], tmp_path / 'log', {})


def test_the_last_words_of_a_command_are_the_fault(tmp_path):
    words = 'x: error: no\nlines\ntempseg-train: error: no data at d.\n  Get them'
    (tmp_path / 'fail.py').write_text(f'print({words!r})\nraise SystemExit(2)\n')
    with pytest.raises(RuntimeError) as fault:
        Processes().run([tmp_path / 'fail.py'], tmp_path / 'log', {})
    assert str(fault.value) == f'no data at d.\n  Get them (see {tmp_path / "log"})'


def test_stopping_ends_what_runs_and_what_is_started_after(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, 'PATIENCE', 20)
    (tmp_path / 'wait.py').write_text(
        "import pathlib, time\npathlib.Path(__file__).with_name('here').touch()\ntime.sleep(60)\n")
    running, faults = Processes(), []

    def start():
        try:
            running.run([tmp_path / 'wait.py'], tmp_path / 'log', {})
        except RuntimeError as error:
            faults.append(str(error))
    thread = threading.Thread(target=start)
    thread.start()
    while not (tmp_path / 'here').exists():
        thread.join(0.02)
    running.stop()
    thread.join(20)
    start()
    assert [fault.split(',')[0] for fault in faults] == ['exit status -15'] * 2


def test_a_record_is_read_as_it_was_written(tmp_path):
    path = tmp_path / 'row' / 'tested.json'
    assert read_record(path) is None
    write_record(path, dict(seconds=1.5))
    write_record(path, dict(seconds=2.5, scores=dict(J=dict(mean=None))))
    assert read_record(path) == dict(seconds=2.5, scores=dict(J=dict(mean=None)))
    assert [found.name for found in path.parent.iterdir()] == ['tested.json']


def test_a_broken_record_is_named(tmp_path):
    path = tmp_path / 'tested.json'
    path.write_text('{"seconds": 1')
    with pytest.raises(ValueError, match='tested.json is not a record of a row.*remove it'):
        read_record(path)


def test_commit(tmp_path):
    assert commit_of(tmp_path) == 'unknown'

    def git(*command):
        return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *command], cwd=tmp_path, check=True,
                              capture_output=True, text=True).stdout.strip()
    try:
        git('init')
    except OSError:
        pytest.skip('no git')
    (tmp_path / 'file').write_text('1')
    git('add', 'file')
    git('commit', '-m', 'first')
    assert commit_of(tmp_path) == git('rev-parse', '--short', 'HEAD')
    (tmp_path / 'file').write_text('2')
    assert commit_of(tmp_path).endswith('+')


def test_seconds_of_fine_tuning_are_those_the_hook_tells(tmp_path):
    log = tmp_path / 'test.log'
    logger = logging.Logger('test')
    logger.addHandler(logging.FileHandler(log))
    for name, seconds in (('dog', 9.04), ('cows', 2.0), ('a: b', 2.5)):  # the first one loads what it needs
        adapted = AdaptedGenerator(None, [0.3, 0.2], seconds, GivenFit(2, 0.3, 0.9))
        logger.info(f'[1/3] {name}: J 0.5; {adapted.summary}')
    assert finetune_seconds(log) == 2.5


def test_no_fine_tuning_takes_no_seconds(tmp_path):
    (tmp_path / 'test.log').write_text('[1/2] dog: J_mean 0.5\n')
    assert finetune_seconds(tmp_path / 'test.log') == 0
