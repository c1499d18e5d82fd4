"""The processes of a table, each with its log, ended together; and the records of what they finished.

Started by ``TableRun``, from several threads.
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

# The last words of a command of the project, see commands.entry.
_TOLD = re.compile(r'^[^\n]*: error: ((?:(?!^[^\n]*: error: ).)*)\Z', re.MULTILINE | re.DOTALL)
PATIENCE = 60  # seconds: a training that is asked to stop finishes its iteration and saves


class Processes:
    """Processes of this Python that run side by side."""

    def __init__(self) -> None:
        self._running: set = set()
        self._stopped = threading.Event()

    def run(self, arguments: Sequence, log: Path, environment: Mapping[str, str]) -> float:
        """Run one to its end; what it prints goes to ``log``.

        Args:
            arguments: of Python, as text or as what turns into it: ``-m`` and a module, or a script, and its own.
            log: replaced; its folder must exist.
            environment: variables that it sees besides ours.

        Returns:
            Seconds.

        Raises:
            RuntimeError: if it fails: the sentence that a command of the project ends with, else its exit status and
                the end of its log.
        """
        started = time.monotonic()
        with open(log, 'w', encoding='utf-8') as output:
            # In a session of its own, so that Ctrl-C reaches it once, through stop.
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
        """Ask them to stop, and whatever is started later; those that do not, and what they started, are killed."""
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


_FINETUNED = re.compile(r'fine-tuned on \d+ masks?, \d+ steps in ([\d.]+) s')  # what ProgressHook says of a sequence


def read_record(path: Path) -> dict | None:
    """The content of a record; ``None`` where there is none.

    Raises:
        ValueError: for a file that is no JSON.
    """
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is no record of ours ({error}): remove it, and its row runs again') from error


def write_record(path: Path, content: dict) -> None:
    """Write or replace a record at once; its folder is made."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def commit_of(root: Path) -> str:
    """Short hash of a checkout, with a ``+`` if tracked files differ from it; ``'unknown'`` for any other folder."""
    def git(*command: str) -> str:
        return subprocess.run(['git', *command], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    if not (root / '.git').exists():  # an installed project may lie within the checkout of another
        return 'unknown'
    try:
        return git('rev-parse', '--short', 'HEAD') + ('+' if git('status', '--porcelain', '-uno') else '')
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def finetune_seconds(log: Path) -> float:
    """Seconds of online fine-tuning a sequence by the log of a test; 0 where nothing was fine-tuned.

    The median: the first sequence pays for what a process loads when it fine-tunes for the first time.
    """
    seconds = [float(text) for text in _FINETUNED.findall(log.read_text(encoding='utf-8', errors='replace'))]
    return statistics.median(seconds) if seconds else 0.0
