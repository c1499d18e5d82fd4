import io
import re
import subprocess
import sys
import warnings

import pytest
from mmengine.hooks import EarlyStoppingHook, LoggerHook
from mmengine.logging import MMLogger, print_log

from tempseg_mm.runtime.terminal import LOG_ONLY, set_up_terminal, speak_briefly


@pytest.fixture
def logger(tmp_path):
    """A logger of its own, brief; what it wrote to the terminal and to its file."""
    logger = MMLogger('brief', log_file=str(tmp_path / 'all.log'))
    logger.handlers[0].stream = io.StringIO()
    speak_briefly(logger)
    return logger


def said(logger):
    return logger.handlers[0].stream.getvalue().splitlines()


def logged(logger):
    with open(logger.log_file) as file:
        return file.read()


def as_module(name, text, **names):
    """Have a module of this name do something."""
    exec(text, {'__name__': name, **names})


def test_a_line_is_short_and_the_file_as_ever(logger):
    logger.info('trains')
    logger.warning('runs low')
    logger.error('is broken')
    texts = [re.fullmatch(r'\d\d:\d\d:\d\d  (.*)', line).group(1) for line in said(logger)]
    assert texts == ['trains', 'warning: runs low', 'error: is broken']
    assert re.match(r'\d{4}/\d\d/\d\d \d\d:\d\d:\d\d - mmengine - INFO - trains\n', logged(logger))


def test_a_table_stands_below_an_empty_line_and_an_exception_keeps_its_own(logger):
    logger.info('\na  b\n1  2\n')
    assert said(logger) == ['', 'a  b', '1  2']
    try:
        raise ValueError('bad')
    except ValueError:
        logger.exception('failed')
    assert said(logger)[3].endswith('  error: failed') and said(logger)[-1] == 'ValueError: bad'


def test_what_is_marked_is_for_the_file_alone(logger):
    logger.info('chatter', extra=LOG_ONLY)
    logger.warning('more of it', extra=LOG_ONLY)
    assert said(logger) == [] and 'chatter' in logged(logger) and 'more of it' in logged(logger)


@pytest.mark.parametrize('module, told', [
    ('mmengine.runner.runner', False), ('mmengine.hooks.logger_hook', False), ('mmengine', False),
    (EarlyStoppingHook.__module__, True), ('mmengine_of_mine', True), ('my_hook', True), ('tempseg_mm.models', True)])
@pytest.mark.parametrize('way', ['logger.info("a line")', 'print_log("a line", logger)'])
def test_mmengine_talks_to_the_file_and_everyone_else_to_people(logger, module, told, way):
    as_module(module, way, logger=logger, print_log=print_log)
    assert bool(said(logger)) == told and 'INFO - a line' in logged(logger)


def test_the_modules_of_mmengine_that_count_are_there():
    assert EarlyStoppingHook.__module__ == 'mmengine.hooks.early_stopping_hook'
    assert LoggerHook.__module__ == 'mmengine.hooks.logger_hook'


def test_warnings_of_mmengine_are_told_but_for_its_deprecations(logger):
    as_module('mmengine.fileio.file_client', 'print_log("x will be deprecated", logger, 30)', logger=logger,
              print_log=print_log)
    as_module('mmengine.runner.checkpoint', 'logger.warning("weights do not match")', logger=logger)
    as_module('tempseg_mm.flow', 'logger.warning("y will be deprecated")', logger=logger)
    assert [line.split('warning: ')[1] for line in said(logger)] == ['weights do not match', 'y will be deprecated']
    assert 'x will be deprecated' in logged(logger)


def test_a_process_that_is_not_the_first_tells_errors_alone(logger):
    speak_briefly(logger, speaks=False)
    logger.warning('low')
    logger.error('broken')
    assert len(said(logger)) == 1 and said(logger)[0].endswith('error: broken')


def test_asking_twice_changes_nothing(logger):
    before = list(logger.handlers[0].filters)
    speak_briefly(logger)
    assert logger.handlers[0].filters == before and len(logger.handlers) == 2


@pytest.mark.parametrize('module, category, told', [
    ('torch.jit', FutureWarning, False), ('torch', DeprecationWarning, False), ('mmengine.x', FutureWarning, False),
    ('tempseg_mm.models.x', FutureWarning, True), ('torch_of_mine', FutureWarning, True),
    ('torch.optim', UserWarning, True)])
def test_only_deprecations_of_what_this_package_stands_on_are_silenced(logger, monkeypatch, module, category, told):
    monkeypatch.setattr(sys, 'warnoptions', [])
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: logger)
    with warnings.catch_warnings(record=True) as found:
        warnings.resetwarnings()
        set_up_terminal()
        warnings.warn_explicit('old', category, 'x.py', 1, module=module)
    assert bool(found) == told


@pytest.mark.parametrize('text, module, told', [
    ('This DataLoader will create 4 worker processes in total. Our ...', 'torch.utils.data.dataloader', False),
    ('This DataLoader will create 4 worker processes in total. Our ...', 'tempseg_mm.datasets', True),
    ('Setting MKL_NUM_THREADS environment variable for each process', 'mmengine.utils.dl_utils.setup_env', False),
    ('Something else', 'torch.utils.data.dataloader', True)])
def test_advice_on_processes_and_threads_is_silenced(logger, monkeypatch, text, module, told):
    monkeypatch.setattr(sys, 'warnoptions', [])
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: logger)
    with warnings.catch_warnings(record=True) as found:
        warnings.resetwarnings()
        set_up_terminal()
        warnings.warn_explicit(text, UserWarning, 'x.py', 1, module=module)
    assert bool(found) == told


def test_a_process_shows_warnings_if_python_is_asked_to_and_brief_lines_from_before_a_run():
    code = ('import warnings; from mmengine.logging import print_log;'
            'from tempseg_mm.runtime.terminal import set_up_terminal; set_up_terminal();'
            'warnings.warn_explicit("old", FutureWarning, "x.py", 1, module="torch.x");'
            'print_log("model.width: as typed", "current", 30)')

    def run(*options):
        return subprocess.run([sys.executable, *options, '-c', code], capture_output=True, text=True, check=True)
    plain = run()
    assert 'FutureWarning: old' in run('-W', 'default').stderr and 'old' not in plain.stderr
    assert re.fullmatch(r'\d\d:\d\d:\d\d  warning: model.width: as typed\n', plain.stdout)
