"""The processes of a table: each with its log, ended together. Started by ``TableRun``, from several threads."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 60  # seconds: a training that is asked to stop finishes its iteration and saves


class Processes:
    """Python scripts that run side by side.

    Attributes:
        kept_open: file descriptors that every process inherits, such as that of a lock.
    """

    def __init__(self) -> None:
        self.kept_open: tuple = ()
        self._running: set = set()
        self._stopped = threading.Event()

    def run(self, script: Path, arguments: Sequence, log: Path, environment: Mapping[str, str]) -> float:
        """Run a script to its end; what it prints goes to ``log``.

        Args:
            script: its path.
            arguments: of its command line, as text or as what turns into it.
            log: replaced; its folder must exist.
            environment: variables that it sees besides ours.

        Returns:
            Seconds.

        Raises:
            RuntimeError: if it fails, with its exit status and the end of its log.
        """
        started = time.monotonic()
        with open(log, 'w', encoding='utf-8') as output:
            # In a session of its own, so that Ctrl-C reaches it once, through stop.
            process = subprocess.Popen([sys.executable, script, *map(str, arguments)],
                                       env=dict(os.environ, **environment), stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True, pass_fds=self.kept_open)
            self._running.add(process)
            if self._stopped.is_set():
                process.terminate()
            code = process.wait()
            self._running.discard(process)
        if code:
            tail = log.read_text(encoding='utf-8', errors='replace').splitlines()[-5:]
            raise RuntimeError(f'exit status {code}, see {log}\n  ' + '\n  '.join(tail))
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
