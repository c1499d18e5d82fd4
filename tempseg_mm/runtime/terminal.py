"""Terminal output of commands: short lines that a person needs. The log file of a run has everything.

The commands and the Runner that they build set it up. A Runner of mmengine built elsewhere logs as usual.
"""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.logging import MMLogger

LOG_ONLY = dict(log_only=True)  # logger.info(text, extra=LOG_ONLY): a line for the log file, not for the terminal
LOGGING = ('logging', 'mmengine.logging', __name__)  # modules that only pass lines on
ALOUD = ('mmengine.hooks.early_stopping_hook',)  # the only module of mmengine whose lines a person needs
# Dependencies whose deprecation warnings are hidden: the user cannot act on them. Warnings of this package are shown.
DEPENDENCIES = ('torch', 'torchvision', 'mmengine', 'mmcv', 'tensorboard', 'setuptools', 'pkg_resources', 'numpy',
                'cv2', 'PIL', 'av', 'rich', 'jinja2', 'safetensors', 'google')
# Warnings of dependencies, with their modules, that concern only speed: the number of reading processes, which the
# config sets, and that each of several processes computes with one thread.
ADVICE = ((r'This DataLoader will create \d+ worker processes', r'torch\.utils\.data\.'),
          ('Setting (OMP|MKL)_NUM_THREADS environment variable', r'mmengine\.utils\.dl_utils\.'))
DEPRECATED = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def set_up_terminal(*, speaks: bool = True) -> None:
    """Limit the terminal output of this process to what a person needs. Called at the start of a command.

    Args:
        speaks: show the lines of this process; False shows errors only, as in all but the first process of a run.
    """
    if not sys.warnoptions:  # a user who asked Python for warnings gets them all
        modules = rf'({"|".join(DEPENDENCIES)})(\.|$)'
        for category in DEPRECATED:
            warnings.filterwarnings('ignore', category=category, module=modules)
        warnings.filterwarnings('ignore', message='pkg_resources is deprecated', category=UserWarning)
        for message, module in ADVICE:
            warnings.filterwarnings('ignore', message=message, category=UserWarning, module=module)
    speak_briefly(MMLogger.get_current_instance(), speaks=speaks)


def speak_briefly(logger: MMLogger, *, speaks: bool = True) -> None:
    """Make a logger write ``13:02:11  text`` to the terminal, and only lines that are meant for a person.

    All other lines of mmengine, and records marked with ``LOG_ONLY``, go only to the log file.

    Args:
        logger: the logger; its handlers for files stay as they are.
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
    """Limit mmengine's log to warnings, and write none to a file, for the block.

    For a model built beside or after a run: mmengine logs three lines for each layer that it initialises.
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
    """Formats a record as one line with the time; text of several lines stays unchanged, below an empty line."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().strip('\n')
        if record.exc_info:
            text += '\n' + self.formatException(record.exc_info)
        if '\n' in text and record.levelno < logging.WARNING:
            return f'\n{text}'
        mark = '' if record.levelno < logging.WARNING else f'{record.levelname.lower()}: '
        return f'{self.formatTime(record, "%H:%M:%S")}  {mark}{text}'


class _ForPeople(logging.Filter):
    """Drops records marked as log only, mmengine's reports about itself, and its deprecation warnings."""

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
    """Return the name of the module that logs. The record does not tell: many modules log through ``print_log``."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_in(frame.f_globals.get('__name__', ''), LOGGING):
        frame = frame.f_back
    return frame.f_globals.get('__name__', '')


def _is_in(module: str, packages: tuple) -> bool:
    return any(module == package or module.startswith(f'{package}.') for package in packages)
