"""Trains and tests the rows of a table as processes of the commands ``train`` and ``test``, several at a time.

The processes are the commands that a user would type. This module adds their order, records, and resuming.
"""

import argparse
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

from mmengine.config import Config

from tempseg_mm.apis.config import load_config, newest_checkpoint
from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.engine.stages import method_hooks
from tempseg_mm.runtime.folder_lock import InUseError, locked
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.runtime.project_files import PACKAGE
from tempseg_mm.settings.typed_text import ConfigOverrides

from .lacking import Lacking, lacking_variables
from .processes import Processes, commit_of, finetune_seconds, read_record, write_record
from .rows import NONE, OWN, Preset, Row, by_reason

TRAINED, TESTED = 'trained.json', 'tested.json'
COMMANDS = {name: ('-m', f'tempseg_mm.commands.{name}') for name in ('train', 'test')}

# Parts of a config that a result depends on: if one of them changes, the result is computed again.
TRAINING_READS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'randomness')
TEST_READS = ('model', 'test_dataloader', 'test_cfg', 'test_evaluator', 'randomness', 'crf')
TEST_HOOKS = ('OnlineFinetuneHook', 'TTAHook', 'CRFHook', 'BaselineHook')  # no effect on a training

_OPTIONS = argparse.ArgumentParser()
_OPTIONS.add_argument('--cfg-options', nargs='+', action=ConfigOverrides)


class TableRun:
    """The rows of a table, run for some seeds, in one folder::

        out_dir/<row>/seed<k>/     output of the commands; train.log, test.log; trained.json, tested.json once finished

    If another row here or in ``reuse`` has a result with the same settings, that result is used.

    Args:
        rows: all rows of the table, in order.
        preset: the configs that the rows start from.
        out_dir: output folder.
        seeds: seeds of all random draws.
        root: folder that contains ``configs``.
        options: overrides for every run, applied after the preset's and before the row's.
        jobs: number of rows that run at a time; they share the cores.
        reuse: output folders of other tables.
        log: called with lines of text.

    Attributes:
        reasons: key of a row -> why it has not run, as far as known.

    Raises:
        ValueError: if there is no seed, a seed appears twice, or ``jobs`` is below 1.
    """

    def __init__(self, rows: Sequence[Row], preset: Preset, out_dir: str | Path, *, seeds: Sequence[int],
                 root: str | Path, options: Sequence[str] = (), jobs: int = 1, reuse: Sequence[str | Path] = (),
                 log: Callable[[str], None] = lambda line: None) -> None:
        if not seeds or len(set(seeds)) < len(seeds) or jobs < 1:
            raise ValueError(f'expected one or more different seeds and one or more jobs, got {list(seeds)}, {jobs}')
        self.rows, self.preset, self.seeds, self.jobs, self.log = rows, preset, seeds, jobs, log
        self.out_dir, self.root, self.reuse = Path(out_dir), Path(root), [Path(folder) for folder in reuse]
        self.options = (*preset.options, *options)
        self.reasons: dict[str, str] = {}
        self._processes = Processes()
        self._lock = threading.RLock()  # the environment is shared by all threads, as is the report
        self._configs: dict = {}
        self._fingerprints: dict = {}
        self._ask = Lacking()

    def run(self, *, only: Sequence[str] | None = None, resume: bool = False, on_row: Callable[[], None] = lambda: None
            ) -> list[str]:
        """Train and test the rows that are not finished.

        Args:
            only: keys of the rows to run; ``None`` for all. The other rows keep their results.
            resume: continue in a folder that has results; results of changed configs are computed again.
            on_row: called after each row of each seed.

        Returns:
            One line per fault; the other rows run nevertheless. A row is skipped if an environment variable that it
            needs is not set, which is a fault only if all rows are skipped.

        Raises:
            FileExistsError: if there are results and ``resume`` is not set.
            InUseError: if another run uses the folder. A training or test that it left running fails only its own row.
            OSError, ValueError: if a config cannot be read; raised before anything runs.
        """
        with locked(self.out_dir, option='--out'):
            return self._run(only, resume, on_row)

    def _run(self, only: Sequence[str] | None, resume: bool, on_row: Callable[[], None]) -> list[str]:
        if not resume and any(self.out_dir.glob(f'*/*/{TESTED}')):
            raise FileExistsError(f'{self.out_dir} holds results: --resume continues them, --out writes elsewhere')
        asked = [row for row in self.rows if only is None or row.key in only]
        wanted = [row for row in asked if not lacking_variables(row)]
        self.reasons = {row.key: f'set {" and ".join(lacking_variables(row))}' for row in asked if row not in wanted}
        for row in wanted:
            self.config(row, self.seeds[0])
        cannot = {row.key: reason for row in wanted if (reason := self._lacking(row))}
        wanted = [row for row in wanted if row.key not in cannot]
        self.reasons.update(cannot)
        faults = by_reason(asked, cannot if wanted else self.reasons)
        on_row()
        progress = Progress(total := len(wanted) * len(self.seeds), self.log, unit='rows', interval=0, lines=total)

        def train(trainer: Row | None, rows: list[Row], seed: int) -> list[partial]:
            try:
                checkpoint = NONE if trainer is None else self._train(trainer, seed)
            except RuntimeError as error:
                faults.append(f'{trainer.title}, seed {seed}: {error}')
                with self._lock:
                    self.reasons.update({row.key: f'the training failed: {error}' for row in rows})
                    on_row()
                return []
            return [partial(test, row, seed, checkpoint) for row in rows]

        def test(row: Row, seed: int, checkpoint: str) -> list[partial]:
            fault = ''
            try:
                self._test(row, seed, checkpoint)
            except RuntimeError as error:
                fault = f'{row.title}, seed {seed}: {error}'
                faults.append(fault)
                self.reasons[row.key] = f'the test failed: {error}'
            with self._lock:
                progress.step(f'{row.title}, seed {seed}: {"failed" if fault else "done"}')
                on_row()
            return []

        self._work_off(deque(partial(train, trainer, rows, seed)
                             for seed in self.seeds for trainer, rows in self._chains(wanted, seed)))
        return faults

    def _lacking(self, row: Row) -> str | None:
        """Return why a row cannot run: missing data or initial weights of its training or test."""
        trainer, first = self._trainer(row), self.seeds[0]
        trained = trainer and self._done(trainer, first, TRAINED)
        return self._ask.reason(self.config(row, first), None if trained else self.config(trainer or row, first),
                                trains=trainer is not None)

    def _work_off(self, ready: deque) -> None:
        """Call the ready tasks, ``jobs`` at a time. Tasks that a call returns come next, before all others."""
        running: set = set()
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                while ready or running:
                    while ready and len(running) < self.jobs:
                        running.add(pool.submit(ready.popleft()))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        ready.extendleft(reversed(future.result()))
            except BaseException:  # Ctrl-C, SIGTERM: no process may continue unseen
                pool.shutdown(wait=False, cancel_futures=True)
                self._processes.stop()
                raise

    def result(self, row: Row, seed: int) -> dict | None:
        """Return the result of a finished row.

        Returns:
            ``scores`` (overall J, F, T), ``seconds``, ``train_seconds``, ``finetune_seconds`` (per sequence; missing
            from records of earlier versions), ``commit``; ``None`` if the row is not finished.
        """
        tested = self._done(row, seed, TESTED)
        trainer = self._trainer(row)
        trained = self._done(trainer, seed, TRAINED) if trainer else None
        return tested and dict(tested[0], train_seconds=trained[0]['seconds'] if trained else 0.0)

    def config(self, row: Row, seed: int) -> Config:
        """Return the config that the runs of a row use."""
        with self._lock:
            if (row, seed) not in self._configs:
                with _environment(TEMPSEG_BASE=getattr(self.preset, row.base)):
                    options = _OPTIONS.parse_args(self._cfg_options(row, seed)).cfg_options
                    self._configs[row, seed] = load_config(self._config_path(row), options=options)
            return self._configs[row, seed]

    def _chains(self, rows: Sequence[Row], seed: int) -> list[tuple[Row | None, list[Row]]]:
        """Return each training row with the rows that are tested with its weights or share its training settings."""
        chains: dict = {}
        for row in rows:
            trainer = self._trainer(row)
            chains.setdefault(self._fingerprint(trainer, seed, TRAINED), (trainer, []))[1].append(row)
        return sorted(chains.values(), key=lambda chain: -len(chain[1]))

    def _trainer(self, row: Row) -> Row | None:
        if row.weights == NONE:
            return None
        return row if row.weights == OWN else next(other for other in self.rows if other.key == row.weights)

    def _train(self, row: Row, seed: int) -> str:
        """Return the path of the weights, after training them if they do not exist."""
        if done := self._done(row, seed, TRAINED):
            return newest_checkpoint(str(done[1]))
        folder = self._free_folder(row, seed)
        started = folder / 'started.json'
        mark = dict(fingerprint=self._fingerprint(row, seed, TRAINED))
        goes_on = read_record(started) == mark and newest_complete(folder) is not None
        write_record(started, mark)
        seconds = self._process(row, seed, 'train', ['--resume'] if goes_on else [])
        write_record(folder / TRAINED, dict(mark, seconds=seconds, commit=commit_of(self.root)))
        return newest_checkpoint(str(folder))

    def _test(self, row: Row, seed: int, checkpoint: str) -> None:
        if self._done(row, seed, TESTED) is None:
            folder = self._free_folder(row, seed)
            seconds = self._process(row, seed, 'test', [*row.options], checkpoint)
            write_record(folder / TESTED, dict(
                fingerprint=self._fingerprint(row, seed, TESTED), seconds=seconds, commit=commit_of(self.root),
                scores=read_record(folder / 'test' / 'scores.json')['overall'],
                finetune_seconds=finetune_seconds(folder / 'test.log')))

    def _process(self, row: Row, seed: int, tool: str, options: list, *checkpoint: str) -> float:
        """Run the command ``train`` or ``test`` on a row; return its seconds, raise RuntimeError if it fails."""
        folder = self._folder(row, seed)
        folder.mkdir(parents=True, exist_ok=True)
        threads = max(1, (os.cpu_count() or 1) // self.jobs)
        self.log(f'{row.title}, seed {seed}: {tool}, see {folder / f"{tool}.log"}')
        return self._processes.run(
            [*COMMANDS[tool], self._config_path(row), *checkpoint, '--work-dir', folder, *options,
             *self._cfg_options(row, seed)],
            folder / f'{tool}.log',
            dict(TEMPSEG_BASE=getattr(self.preset, row.base), OMP_NUM_THREADS=str(threads),
                 PYTHONPATH=os.pathsep.join([str(PACKAGE.parent), *filter(None, [os.environ.get('PYTHONPATH')])])))

    def _done(self, row: Row, seed: int, name: str) -> tuple[dict, Path] | None:
        """Return a record made with this row's settings and its folder, from the row itself or from another row."""
        fingerprint = self._fingerprint(row, seed, name)
        others = (path.parent for folder in (self.out_dir, *self.reuse)
                  for path in sorted(folder.glob(f'*/seed{seed}/{name}')))
        for folder in (self._folder(row, seed), *others):
            record = read_record(folder / name)
            if record and record['fingerprint'] == fingerprint:
                return record, folder
        return None

    def _fingerprint(self, row: Row | None, seed: int, name: str) -> str:
        """Return the hash of everything that a training, or a test with its training, depends on."""
        if row is None:
            return ''
        if (row, seed, name) not in self._fingerprints:
            self._fingerprints[row, seed, name] = sha256(repr(self._depends_on(row, seed, name)).encode()).hexdigest()
        return self._fingerprints[row, seed, name]

    def _depends_on(self, row: Row, seed: int, name: str) -> list:
        cfg = self.config(row, seed)
        hooks = method_hooks(cfg.to_dict())
        if name == TRAINED:
            return [*(_part(cfg, key) for key in TRAINING_READS),
                    *(hook for hook in hooks.values() if hook['type'] not in TEST_HOOKS)]
        return [*(_part(cfg, key) for key in TEST_READS), hooks, row.options,
                self._fingerprint(self._trainer(row), seed, TRAINED)]

    def _cfg_options(self, row: Row, seed: int) -> list[str]:
        return ['--cfg-options', *self.options, *map(os.path.expandvars, row.overrides), f'randomness.seed={seed}']

    def _config_path(self, row: Row) -> str:
        return str(self.root / 'configs' / row.config.format(**vars(self.preset)))

    def _free_folder(self, row: Row, seed: int) -> Path:
        """Return the folder of a row; raise RuntimeError if a process of a killed run still writes there."""
        folder = self._folder(row, seed)
        try:
            with locked(folder, folder / 'test', option='--out'):
                return folder
        except InUseError as error:
            raise RuntimeError(str(error)) from error

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
