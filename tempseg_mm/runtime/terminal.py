"""What a command says on the terminal: what a person needs, in short lines. The log file of a run has everything.

Set up by the commands, and by the Runner that they build. Who builds a Runner of mmengine's own hears it as ever.
"""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.logging import MMLogger

LOG_ONLY = dict(log_only=True)  # logger.info(text, extra=LOG_ONLY): a line for the log file, not for the terminal
LOGGING = ('logging', 'mmengine.logging', __name__)  # who passes lines on
ALOUD = ('mmengine.hooks.early_stopping_hook',)  # the one of mmengine whose lines tell a person something new
# Packages that this one stands on, whose deprecations its user can do nothing about. Our own are told.
DEPENDENCIES = ('torch', 'torchvision', 'mmengine', 'mmcv', 'tensorboard', 'setuptools', 'pkg_resources', 'numpy',
                'cv2', 'PIL', 'av', 'rich', 'jinja2', 'safetensors', 'google')
# Messages of theirs, and where they come from, on which nothing depends but speed: how many processes read, which a
# config names, and that each process of several computes with one thread.
ADVICE = ((r'This DataLoader will create \d+ worker processes', r'torch\.utils\.data\.'),
          ('Setting (OMP|MKL)_NUM_THREADS environment variable', r'mmengine\.utils\.dl_utils\.'))
DEPRECATED = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def set_up_terminal(*, speaks: bool = True) -> None:
    """Have this process say on the terminal what a person needs: at the start of a command.

    Args:
        speaks: whether its lines are told at all; else errors alone, as of all but the first process of a run.
    """
    if not sys.warnoptions:  # who asked Python for warnings gets them
        modules = rf'({"|".join(DEPENDENCIES)})(\.|$)'
        for category in DEPRECATED:
            warnings.filterwarnings('ignore', category=category, module=modules)
        warnings.filterwarnings('ignore', message='pkg_resources is deprecated', category=UserWarning)
        for message, module in ADVICE:
            warnings.filterwarnings('ignore', message=message, category=UserWarning, module=module)
    speak_briefly(MMLogger.get_current_instance(), speaks=speaks)


def speak_briefly(logger: MMLogger, *, speaks: bool = True) -> None:
    """Have a logger write ``13:02:11  text`` to the terminal, and there only what is meant for a person.

    What else mmengine has to say, and records marked with ``LOG_ONLY``, go to its log file alone.

    Args:
        logger: its handlers of files stay as they are.
        speaks: see :func:`set_up_terminal`.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setFormatter(_Brief())
            if not any(isinstance(known, _ForPeople) for known in handler.filters):
                handler.addFilter(_ForPeople())
            if not speaks:
                handler.setLevel(logging.ERROR)


@contextmanager
def without_logging() -> Iterator[None]:
    """Inside, mmengine logs warnings alone, and to no file: it has three lines for each layer that it initialises.

    For a model that is built beside a run, or after one: the log file of that run is no place for it.
    """
    logger = MMLogger.get_current_instance()
    level, handlers = logger.level, logger.handlers
    logger.setLevel('WARNING')
    logger.handlers = [handler for handler in handlers if not isinstance(handler, logging.FileHandler)]
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.handlers = handlers


class _Brief(logging.Formatter):
    """One line with the time; tables and blocks of several lines as they are, below an empty one."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().strip('\n')
        if record.exc_info:
            text += '\n' + self.formatException(record.exc_info)
        if '\n' in text and record.levelno < logging.WARNING:
            return f'\n{text}'
        mark = '' if record.levelno < logging.WARNING else f'{record.levelname.lower()}: '
        return f'{self.formatTime(record, "%H:%M:%S")}  {mark}{text}'


class _ForPeople(logging.Filter):
    """Keeps back what is marked, what mmengine tells of itself, and what it says of its own deprecations."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, 'log_only', False):
            return False
        if record.levelno >= logging.ERROR:
            return True
        speaker = _speaker()
        if not _is_in(speaker, ('mmengine',)):
            return True
        if record.levelno >= logging.WARNING:
            return 'deprecated' not in record.getMessage()
        return _is_in(speaker, ALOUD)


def _speaker() -> str:
    """The module that has something logged. Not that of the record: many call mmengine's ``print_log``."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_in(frame.f_globals.get('__name__', ''), LOGGING):
        frame = frame.f_back
    return frame.f_globals.get('__name__', '')


def _is_in(module: str, packages: tuple) -> bool:
    return any(module == package or module.startswith(f'{package}.') for package in packages)
