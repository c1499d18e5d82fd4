"""How commands end: one sentence for what the user can mend, a traceback for a fault of ours, their status."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tempseg_mm.commands import entry
from tempseg_mm.runtime.command_names import runnable
from tempseg_mm.runtime.stop_signals import Stopped

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.stem for path in (ROOT / 'tempseg_mm/commands').glob('*.py')
                  if 'def main' in path.read_text(encoding='utf-8'))


@pytest.mark.parametrize('tool', COMMANDS)
def test_help_shows_commands_that_work_as_printed(command, capsys, tool):
    with pytest.raises(SystemExit) as end:
        command(tool, '--help')
    text = capsys.readouterr().out
    assert end.value.code == 0 and '%(prog)s' not in text and '--debug' in text
    shown = text.partition('examples:\n')[2].strip().splitlines()
    assert runnable(tool) in shown[0]
    configs = {word for word in text.split() if word.startswith('configs/') and word.endswith('.py')}
    assert [name for name in configs if not (ROOT / name).is_file() and not name.startswith('configs/_base_/crf')] == []


@pytest.mark.parametrize('tool, words', [
    ('train', ['--resume', '--amp', '--cfg-options']),
    ('test', ['--baselines', '--tta', '--crf', '--sequences', '--show-dir', '--out']),
    ('tune_crf', ['--split', '--trials', '--frames-per-sequence']),
    ('run_table', ['--preset', '--resume', 'default: 1']),
    ('make_synthetic', ['in the folder layout of DAVIS', '--difficulty', 'default: 24']),
])
def test_help_names_the_options(command, capsys, tool, words):
    with pytest.raises(SystemExit):
        command(tool, '--help')
    text = capsys.readouterr().out
    assert [word for word in words if word not in text] == []


def test_every_command_has_its_tool():
    """``python tools/x.py`` starts each command, and only those."""
    started = [re.search(r"launch\('(\w+)'\)", path.read_text(encoding='utf-8')).group(1)
               for path in (ROOT / 'tools').glob('[a-z]*.py')]
    assert sorted(started) == COMMANDS


@pytest.mark.parametrize('tool, more', [('train', ()), ('test', ()), ('tune_crf', ('--out', 'crf.py'))])
def test_a_slip_in_a_setting(refused, config_file, built, tool, more):
    said = refused(tool, config_file(), *more, '--cfg-options', 'trian_cfg.max_iters=5')
    assert built == [] and 'trian_cfg.max_iters: there is no setting' in said
    assert 'did you mean train_cfg.max_iters?' in said


def fails_with(error):
    def run(args):
        raise error
    return run


def run(error, capsys, *arguments):
    """Status and standard error of a command that raises ``error``."""
    with pytest.raises(SystemExit) as end:
        entry.run_command(lambda: entry.command_parser('train', '', ''), fails_with(error), arguments)
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize('error', [
    FileNotFoundError('no data in x'), ValueError('no data in x'), FloatingPointError('no data in x'),
    KeyError('no data in x')])
def test_what_the_user_can_mend_is_one_sentence(error, capsys):
    status, said = run(error, capsys)
    assert status == 2 and re.fullmatch(r'\S.*: error: no data in x( .*--debug .*)?\n', said)


def test_debug_shows_where_it_comes_from(capsys):
    with pytest.raises(ValueError, match='no data'):
        run(ValueError('no data in x'), capsys, '--debug')


@pytest.mark.parametrize('error', [TypeError('f() takes'), KeyError('key'), RuntimeError('shape')])
def test_faults_of_the_program_keep_their_traceback(error, capsys):
    with pytest.raises(type(error)):
        run(error, capsys)


def test_words_of_a_library_come_with_a_way_to_more(tmp_path):
    try:
        open(tmp_path / 'gone')
    except OSError as error:
        assert entry.foreseen(error).endswith('(FileNotFoundError; --debug shows the traceback)')


def test_a_module_that_a_config_names_is_not_said_to_be_installed_with_the_project():
    said = entry.foreseen(ModuleNotFoundError("No module named 'my_losses'", name='my_losses'))
    assert said.startswith("No module named 'my_losses'") and 'install' not in said


def test_a_config_that_mmengine_cannot_parse(refused, tmp_path):
    (tmp_path / 'mine.py').write_text("_base_ = './gone.json5'\n")
    assert 'error: ' in refused('train', tmp_path / 'mine.py')
    (tmp_path / 'mine.py').write_text("import my_losses\n_base_ = './gone.py'\n")  # taken for the other kind of config
    assert 'inheritance chain' in refused('train', tmp_path / 'mine.py')


def test_a_full_gpu():
    assert entry.foreseen(torch.OutOfMemoryError('CUDA out of memory. Tried')).endswith('or --device cpu')


@pytest.mark.parametrize('error, status', [(KeyboardInterrupt(), 130), (Stopped('stopped by SIGTERM'), 75)])
def test_a_stop_is_no_error(error, status, capsys):
    found, said = run(error, capsys)
    assert found == status and 'stopped by' in said and 'Traceback' not in said


@pytest.mark.parametrize('tool', COMMANDS)
def test_before_installing(tool, tmp_path):
    """Without any package a tool says how to install them; ``--help`` works where it needs none."""
    arguments = dict(make_synthetic=['--out', 'x'], run_table=['1'], evaluate=['--gt', 'a', '--pred', 'b'],
                     segment=['a.mp4', '--mask', 'b.png'], doctor=['configs/tempseg_davis.py'],
                     export=['configs/tempseg_davis.py', '--format', 'onnx'],
                     tune_crf=['configs/tempseg_davis.py', '--out', 'x'])
    path = next(path for path in (ROOT / 'tools').glob('[a-z]*.py') if f"launch('{tool}')" in path.read_text())
    line = [sys.executable, '-E', '-s', '-S', str(path), *arguments.get(tool, ['configs/tempseg_davis.py'])]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert 'Traceback' not in done.stderr
    if tool == 'doctor':  # looks for packages, and lists what is missing
        assert done.returncode == 1 and 'torch>=' in done.stdout
    else:
        assert done.returncode == 2, done.stdout + done.stderr
        assert re.search(r"error: No module named '\w+'\. .*pip install -r requirements.txt", done.stderr)
