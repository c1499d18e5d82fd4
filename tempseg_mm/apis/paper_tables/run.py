"""Trains and tests the rows of a table as processes of tools/train.py and tools/test.py, several at a time.

A row is what a reader would type; this adds order, bookkeeping and going on after a stop.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from mmengine.config import Config

from tempseg_mm.apis.config import load_config, newest_checkpoint
from tempseg_mm.apis.folder_lock import locked
from tempseg_mm.apis.overrides import ConfigOverrides
from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.engine.progress import Progress
from tempseg_mm.registry import DATASETS

from .records import commit_of, read_record, write_record
from .rows import NONE, OWN, Preset, Row

TRAINED, TESTED = 'trained.json', 'tested.json'

# What a result depends on: with another value of these it is made anew.
TRAINING_READS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'randomness')
TEST_READS = ('model', 'test_dataloader', 'test_cfg', 'test_evaluator', 'randomness')
TEST_HOOKS = ('OnlineFinetuneHook', 'TTAHook', 'CRFHook', 'BaselineHook')

PATIENCE = 60  # seconds: a training that is asked to stop finishes its iteration and saves

_OPTIONS = argparse.ArgumentParser()
_OPTIONS.add_argument('--cfg-options', nargs='+', action=ConfigOverrides)


class TableRun:
    """The rows of a table, for some seeds, below one folder::

        out_dir/<row>/seed<k>/         what tools/train.py and tools/test.py write, train.log and test.log,
                                       trained.json and tested.json once each is done

    Args:
        rows: all of the table, in order.
        preset: what they are deltas of.
        out_dir: where everything is written.
        seeds: of every random draw.
        only: keys of the rows to run; ``None``: all. The others keep what they have.
        root: the checkout, with configs and tools.
        options: overrides for every run, after the preset's.
        jobs: rows at a time; the cores are shared among them.
        log: takes a line of text.

    Raises:
        ValueError: for no seed, the same seed twice, or less than one job.
    """

    def __init__(self, rows: Sequence[Row], preset: Preset, out_dir: str | Path, *, seeds: Sequence[int],
                 root: str | Path, only: Sequence[str] | None = None, options: Sequence[str] = (), jobs: int = 1,
                 log: Callable[[str], None] = lambda line: None) -> None:
        if not seeds or len(set(seeds)) < len(seeds) or jobs < 1:
            raise ValueError(f'one seed or more, each once, and one job or more are needed, got {list(seeds)}, {jobs}')
        self.rows, self.preset, self.seeds, self.jobs, self.log = rows, preset, seeds, jobs, log
        self.out_dir, self.root = Path(out_dir), Path(root)
        self.only = [row.key for row in rows] if only is None else only
        self.options = (*preset.options, *options)
        self._processes: set = set()
        self._lock_file = -1
        self._stopped = threading.Event()
        self._lock = threading.RLock()  # the environment is shared by all threads, as is the report
        self._configs: dict = {}

    def missing(self, row: Row) -> list[str]:
        """Environment variables that a row needs and that are not set, each with what it should name."""
        return [f'{name} ({what})' for name, what in row.needs if not os.environ.get(name)]

    def run(self, *, resume: bool = False, on_row: Callable[[], None] = lambda: None) -> list[str]:
        """Train and test whatever is not done.

        Args:
            resume: go on below a folder that holds results; what was made with another config is made anew.
            on_row: called after each row of each seed.

        Returns:
            What went wrong, a line each; the other rows are done all the same.

        Raises:
            FileExistsError: if there are results and ``resume`` is not set.
            BlockingIOError: if another run is at work below the folder.
            OSError, ValueError: if a config or the data set of the base cannot be read, before anything runs.
        """
        with locked(self.out_dir) as self._lock_file:
            return self._run(resume, on_row)

    def _run(self, resume: bool, on_row: Callable[[], None]) -> list[str]:
        if not resume and any(self.out_dir.glob(f'*/*/{TESTED}')):
            raise FileExistsError(f'{self.out_dir} holds results: --resume goes on with them, --out writes elsewhere')
        wanted = [row for row in self.rows if row.key in self.only and not self.missing(row)]
        if not wanted:
            raise ValueError('no row can run: ' + '; '.join(
                f'{row.title} needs {" and ".join(self.missing(row))}' for row in self.rows if row.key in self.only))
        for row in wanted:
            self.config(row, self.seeds[0])
        DATASETS.build(self.config(wanted[0], self.seeds[0]).test_dataloader.dataset)  # renders what is to be rendered
        progress = Progress(len(wanted) * len(self.seeds), self.log, unit='rows', interval=0)
        faults = []
        with ThreadPoolExecutor(self.jobs) as pool:
            chains = [pool.submit(self._chain, trainer, rows, seed, progress, on_row)
                      for seed in self.seeds for trainer, rows in self._chains(wanted)]
            try:
                for chain in as_completed(chains):
                    faults += chain.result()
            except BaseException:  # Ctrl-C, SIGTERM: nothing may run on unseen
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                self._end_processes()
                raise
        return faults

    def _end_processes(self) -> None:
        """Ask them to stop; those that do not, and what they started, are killed."""
        running = list(self._processes)
        for process in running:
            process.terminate()
        end = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def result(self, row: Row, seed: int) -> dict | None:
        """What is known of a finished row: ``scores`` (overall J, F, T), ``seconds``, ``train_seconds``, ``commit``."""
        tested = self._done(row, seed, TESTED)
        trainer = self._trainer(row)
        trained = self._done(trainer, seed, TRAINED) if trainer else None
        return tested and dict(tested, train_seconds=trained['seconds'] if trained else 0.0)

    def config(self, row: Row, seed: int) -> Config:
        """The config of a row as its runs see it."""
        with self._lock:
            if (row, seed) not in self._configs:
                with _environment(TEMPSEG_BASE=getattr(self.preset, row.base)):
                    options = _OPTIONS.parse_args(self._cfg_options(seed)).cfg_options
                    self._configs[row, seed] = load_config(self._config_path(row), options=options)
            return self._configs[row, seed]

    def _chains(self, rows: Sequence[Row]) -> Iterator[tuple[Row | None, list[Row]]]:
        """The row that trains, and the rows that are tested with its weights."""
        by_trainer: dict = {}
        for row in rows:
            by_trainer.setdefault(self._trainer(row), []).append(row)
        yield from sorted(by_trainer.items(), key=lambda item: -len(item[1]))

    def _trainer(self, row: Row) -> Row | None:
        if row.weights == NONE:
            return None
        return row if row.weights == OWN else next(other for other in self.rows if other.key == row.weights)

    def _chain(self, trainer: Row | None, rows: list[Row], seed: int, progress: Progress,
               on_row: Callable[[], None]) -> list[str]:
        faults = []
        try:
            checkpoint = NONE if trainer is None else self._train(trainer, seed)
        except RuntimeError as error:
            return [str(error)]
        for row in rows:
            try:
                self._test(row, seed, checkpoint)
            except RuntimeError as error:
                faults.append(str(error))
            with self._lock:
                progress.step(f'{row.title}, seed {seed}: {"failed" if faults else "done"}')
                on_row()
        return faults

    def _train(self, row: Row, seed: int) -> str:
        folder = self._folder(row, seed)
        if self._done(row, seed, TRAINED) is None:
            started = folder / 'started.json'
            mark = dict(fingerprint=self._fingerprint(row, seed, TRAINED))
            goes_on = read_record(started) == mark and newest_complete(folder) is not None
            write_record(started, mark)
            self._process(row, seed, 'train.log', ['train.py', self._config_path(row), '--work-dir', folder,
                                                   *(['--resume'] if goes_on else []), *self._cfg_options(seed)],
                          folder / TRAINED, mark)
        return newest_checkpoint(str(folder))

    def _test(self, row: Row, seed: int, checkpoint: str) -> None:
        if self._done(row, seed, TESTED) is None:
            folder = self._folder(row, seed)
            self._process(row, seed, 'test.log', ['test.py', self._config_path(row), checkpoint, '--work-dir',
                                                  folder, *row.options, *self._cfg_options(seed)],
                          folder / TESTED, dict(fingerprint=self._fingerprint(row, seed, TESTED)))

    def _process(self, row: Row, seed: int, log: str, command: list, done: Path, record: dict) -> None:
        """Run to the end; leave a record of it, with the scores if it was a test.

        Raises:
            RuntimeError: if it fails, with the end of its log.
        """
        done.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ, TEMPSEG_BASE=getattr(self.preset, row.base),
                           OMP_NUM_THREADS=str(max(1, (os.cpu_count() or 1) // self.jobs)))
        started = time.monotonic()
        with open(done.parent / log, 'w', encoding='utf-8') as output:
            # In a session of its own, so that Ctrl-C reaches it once, through _end_processes; with the lock, so that
            # no other run takes the folder while it still writes.
            process = subprocess.Popen([sys.executable, self.root / 'tools' / command[0], *map(str, command[1:])],
                                       env=environment, stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True, pass_fds=(self._lock_file,))
            self._processes.add(process)
            if self._stopped.is_set():
                process.terminate()
            code = process.wait()
            self._processes.discard(process)
        if code:
            tail = (done.parent / log).read_text(encoding='utf-8', errors='replace').splitlines()[-5:]
            raise RuntimeError(f'{row.title}, seed {seed}: exit status {code}, see {done.parent / log}\n  '
                               + '\n  '.join(tail))
        record.update(seconds=time.monotonic() - started, commit=commit_of(self.root))
        if done.name == TESTED:
            record['scores'] = read_record(done.parent / 'test' / 'scores.json')['overall']
        write_record(done, record)

    def _done(self, row: Row, seed: int, name: str) -> dict | None:
        """The record, unless there is none or it was made with another config."""
        record = read_record(self._folder(row, seed) / name)
        return record if record and record['fingerprint'] == self._fingerprint(row, seed, name) else None

    def _fingerprint(self, row: Row | None, seed: int, name: str) -> str:
        """Of what a training, or a test and the training before it, depends on."""
        if row is None:
            return ''
        cfg = self.config(row, seed)
        hooks = [hook.to_dict() for hook in cfg.custom_hooks]
        if name == TRAINED:
            parts = [_part(cfg, key) for key in TRAINING_READS]
            parts += [hook for hook in hooks if hook['type'] not in TEST_HOOKS]
        else:
            parts = [_part(cfg, key) for key in TEST_READS] + [hooks, row.options]
            parts.append(self._fingerprint(self._trainer(row), seed, TRAINED))
        return sha256(repr(parts).encode()).hexdigest()

    def _options(self, seed: int) -> list[str]:
        return [*self.options, f'randomness.seed={seed}']

    def _cfg_options(self, seed: int) -> list[str]:
        return ['--cfg-options', *self._options(seed)]

    def _config_path(self, row: Row) -> str:
        return str(self.root / 'configs' / row.config.format(**vars(self.preset)))

    def _folder(self, row: Row, seed: int) -> Path:
        return self.out_dir / row.key / f'seed{seed}'


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _part(cfg: Config, key: str):
    part = cfg.get(key)
    return part.to_dict() if hasattr(part, 'to_dict') else part
