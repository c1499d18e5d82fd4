"""Runs the processes of a table, each with its log, stops them together, and keeps records of what they finished.

``TableRun`` starts the processes from several threads.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tempseg_mm.runtime.atomic import written_beside

# The error sentence that a command of the project ends with, see commands.entry.
_TOLD = re.compile(r'^[^\n]*: error: ((?:(?!^[^\n]*: error: ).)*)\Z', re.MULTILINE | re.DOTALL)
PATIENCE = 60  # seconds that a stopped training has to finish its iteration and to save


class Processes:
    """Runs Python processes side by side."""

    def __init__(self) -> None:
        self._running: set = set()
        self._stopped = threading.Event()

    def run(self, arguments: Sequence, log: Path, environment: Mapping[str, str]) -> float:
        """Run one process to its end and write its output to ``log``.

        Args:
            arguments: arguments of Python, as text or convertible to text: ``-m`` and a module, or a script, and its
                arguments.
            log: log file, replaced; its folder must exist.
            environment: variables to add to the present environment.

        Returns:
            Duration in seconds.

        Raises:
            RuntimeError: if the process fails. The message is the error sentence of a command of the project, else the
                exit status and the end of the log.
        """
        started = time.monotonic()
        with open(log, 'w', encoding='utf-8') as output:
            # It runs in its own session, so that Ctrl-C reaches it only once, through stop.
            process = subprocess.Popen([sys.executable, *map(str, arguments)],
                                       env=dict(os.environ, **environment), stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            self._running.add(process)
            if self._stopped.is_set():
                process.terminate()
            code = process.wait()
            self._running.discard(process)
        if code:
            text = log.read_text(encoding='utf-8', errors='replace')
            told = _TOLD.search(text)
            tail = '\n  '.join(text.splitlines()[-5:])
            raise RuntimeError(f'{told[1].strip()} (see {log})' if told else f'exit status {code}, see {log}\n  {tail}')
        return time.monotonic() - started

    def stop(self) -> None:
        """Stop all processes, also those started later. Those still running after a minute are killed with their
        children.
        """
        self._stopped.set()
        running = list(self._running)
        for process in running:
            process.terminate()
        end = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


_FINETUNED = re.compile(r'fine-tuned on \d+ masks?, \d+ steps in ([\d.]+) s')  # the line of ProgressHook


def read_record(path: Path) -> dict | None:
    """Return the content of a record; ``None`` if there is no such file.

    Raises:
        ValueError: if the file is not JSON.
    """
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not a record of a row ({error}): remove it, then its row runs again') from error


def write_record(path: Path, content: dict) -> None:
    """Write or replace a record atomically, and create its folder."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def commit_of(root: Path) -> str:
    """Return the short hash of a checkout, with ``+`` if tracked files differ; ``'unknown'`` for any other folder."""
    def git(*command: str) -> str:
        return subprocess.run(['git', *command], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    if not (root / '.git').exists():  # an installed package may lie in another project's checkout
        return 'unknown'
    try:
        return git('rev-parse', '--short', 'HEAD') + ('+' if git('status', '--porcelain', '-uno') else '')
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def finetune_seconds(log: Path) -> float:
    """Return the median seconds of online fine-tuning per sequence, from the log of a test; 0 if there was none.

    It is the median because the first sequence includes what a process loads only once.
    """
    seconds = [float(text) for text in _FINETUNED.findall(log.read_text(encoding='utf-8', errors='replace'))]
    return statistics.median(seconds) if seconds else 0.0
