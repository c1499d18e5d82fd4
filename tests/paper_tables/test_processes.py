import threading

import pytest

from tempseg_mm.paper_tables import processes
from tempseg_mm.paper_tables.processes import Processes


def test_it_sees_its_arguments_and_variables_and_leaves_a_log(tmp_path):
    (tmp_path / 'say.py').write_text("import os, sys\nprint(sys.argv[1:], os.environ['WORD'], file=sys.stderr)\n")
    seconds = Processes().run(tmp_path / 'say.py', ['a', tmp_path.parent / 'b', 3], tmp_path / 'log', dict(WORD='w'))
    assert (tmp_path / 'log').read_text() == f"['a', '{tmp_path.parent / 'b'}', '3'] w\n"
    assert 0 < seconds < 60


def test_a_fault_comes_with_the_end_of_the_log(tmp_path):
    (tmp_path / 'fail.py').write_text("print(*range(9), sep='\\n')\nraise SystemExit(4)\n")
    with pytest.raises(RuntimeError, match=r'exit status 4, see .*log\n  4\n  5\n  6\n  7\n  8$'):
        Processes().run(tmp_path / 'fail.py', [], tmp_path / 'log', {})


def test_stopping_ends_what_runs_and_what_is_started_after(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, 'PATIENCE', 20)
    (tmp_path / 'wait.py').write_text(
        "import pathlib, time\npathlib.Path(__file__).with_name('here').touch()\ntime.sleep(60)\n")
    running, faults = Processes(), []

    def start():
        try:
            running.run(tmp_path / 'wait.py', [], tmp_path / 'log', {})
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
