"""A command as it is typed, in this process, which is faster."""

import logging
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger

from tempseg_mm.apis.command_runner import CommandRunner


@pytest.fixture
def command():
    """``command('train', ...)`` is ``tempseg-train ...``."""
    def run(name, *arguments):
        for handler in MMLogger.get_current_instance().handlers:
            if type(handler) is logging.StreamHandler:
                handler.stream = sys.stdout  # an earlier test may have had a stream of its own, which is closed
        import_module(f'tempseg_mm.commands.{name}').main([*map(str, arguments)])
    return run


@pytest.fixture
def refused(command, capsys):
    """What the command says on standard error, which must be one message, status 2, no traceback."""
    def run(name, *arguments):
        with pytest.raises(SystemExit) as end:
            command(name, *arguments)
        said = capsys.readouterr().err
        assert end.value.code == 2 and 'Traceback' not in said
        return said
    return run


@pytest.fixture
def config_file(tiny_config, tmp_path):
    """The tiny config as a file."""
    def write(**options):
        path = tmp_path / 'tiny.py'
        tiny_config(**options).dump(path)
        return path
    return write


@pytest.fixture
def built(monkeypatch, tmp_path):
    """The configs of which a Runner was asked for; none is built."""
    configs = []

    class Idle:
        work_dir = log_dir = str(tmp_path)
        logger = MMLogger('idle', log_file=str(tmp_path / 'idle.log'))
        test_loop = SimpleNamespace(written={})

        def train(self, *_):
            pass
        test = register_hook = train
    monkeypatch.setattr(CommandRunner, 'from_cfg', lambda cfg: configs.append(cfg) or Idle())
    return configs
