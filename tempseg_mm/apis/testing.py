"""Prepares the config of a test and runs the test, for ``tempseg-test`` and ``tempseg-tune-crf``."""

import copy
import os.path as osp
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.runtime.closing_block import closing_block, seen_from_here, tensorboard_command
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.project_files import find_file, seen_from_project
from tempseg_mm.runtime.stop_signals import stopped_by_signals

from .command_runner import start_runner
from .config import is_first_process, newest_checkpoint

NEWEST, NONE = 'newest', 'none'
WRITTEN_BY = dict(ResultHook='', ReportHook='', OverlayHook='overlays')  # default folders below the folder of a test


def choose_checkpoint(cfg: Config, named: str | None = None) -> str | None:
    """Return the path of the weights to test.

    Args:
        cfg: config of the test, with its work dir; its ``checkpoint`` counts if ``named`` is ``None``.
        named: ``'newest'`` for the newest checkpoint of the work dir; ``'none'`` for an untrained network; a folder for
            its newest checkpoint; or the file of a checkpoint or of a generator alone, relative to the working folder
            or to the project's folder.

    Returns:
        The path; ``None`` for ``'none'``.

    Raises:
        FileNotFoundError: if a folder has no checkpoint.
    """
    wanted = named or cfg.get('checkpoint') or NEWEST
    if wanted == NONE:
        return None
    if wanted == NEWEST:
        return newest_checkpoint(cfg.work_dir, seen_from_project(cfg.filename) if cfg.filename else None)
    is_folder = osp.isdir(wanted) or not osp.splitext(wanted)[1]
    return newest_checkpoint(wanted) if is_folder else find_file(wanted)


def switch_on(cfg: Config, name: str, hook: dict) -> None:
    """Set ``default_hooks.<name>``. If the config already has a hook of that name or type, keep that one."""
    cfg.setdefault('default_hooks', {})
    own = [custom['type'] for custom in cfg.get('custom_hooks') or [] if isinstance(custom, dict)]
    if cfg.default_hooks.get(name) is None and hook['type'] not in own:
        cfg.default_hooks[name] = hook


def run_test(cfg: Config, hooks: Sequence[Hook] = ()) -> Runner:
    """Test the weights of ``cfg.load_from``; if it is ``None``, test the untrained network.

    All files go to :func:`folder_of_test`, also the log, so the files of a training in the work dir stay as they are.

    Args:
        cfg: config of the test.
        hooks: hooks that watch the test in addition to those of the config.

    Returns:
        The Runner, after the test.

    Raises:
        Stopped: if a signal stops the test; the results of finished sequences are kept.
        InUseError: if another test writes to a folder of this one.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = cfg.test_cfg.out_dir = folder_of_test(cfg)
    folders = result_folders(cfg) if is_first_process(cfg.get('launcher', 'none')) else []
    with locked(*folders, option='--out, --show-dir or --work-dir'):
        runner = start_runner(cfg, 'testing')
        if cfg.load_from is None:
            runner.test_loop.model.init_weights()
        for hook in hooks:
            runner.register_hook(hook)
        with stopped_by_signals():
            runner.test()
        if runner.test_loop.written:
            runner.logger.info(closing_lines(runner))
    return runner


def closing_lines(runner: Runner) -> str:
    """List what a test wrote and where, the page first, with the TensorBoard command if there are curves."""
    out = Path(runner.test_loop.out_dir).absolute()
    written = {name: Path(path).absolute() for name, path in runner.test_loop.written.items()}
    page = written.pop('page', None)
    inside = [path.relative_to(out).as_posix() for path in (*written.values(), Path(runner.logger.log_file).absolute())
              if path.is_relative_to(out)]
    elsewhere = {name: path for name, path in written.items() if not path.is_relative_to(out)}
    has_curves = any(Path(runner.log_dir).rglob('events.out.tfevents*'))
    return closing_block({
        'page': page, 'results': f'{seen_from_here(out)}: {", ".join(inside)}', **elsewhere,
        'curves': tensorboard_command(runner.log_dir) if has_curves else None})


def folder_of_test(cfg: Config) -> str:
    """Return the folder that a test writes to: ``test_cfg.out_dir`` of the config, else ``test`` in the work dir."""
    return cfg.test_cfg.get('out_dir') or osp.join(cfg.work_dir, 'test')


def result_folders(cfg: Config) -> list[str]:
    """Return the folders that the hooks of a test write results to. Each run has its own log folder besides."""
    folder = folder_of_test(cfg)
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    found = [hook.get('out_dir') or osp.join(folder, WRITTEN_BY[hook['type']]) for hook in hooks
             if isinstance(hook, dict) and hook.get('type') in WRITTEN_BY]
    return list(dict.fromkeys(map(osp.normpath, found)))


def skip_finished(cfg: Config) -> None:
    """Let the test skip the sequences that an earlier run has finished, see ``ResultHook``.

    Raises:
        ValueError: if the config has switched the results off.
    """
    if not cfg.get('default_hooks', {}).get('results'):
        raise ValueError('--resume reads the results that ResultHook has kept, but default_hooks.results of the config '
                         'is switched off: test without --resume')
    cfg.default_hooks.results.resume = True


def hand_in(cfg: Config, formats: Sequence[str]) -> None:
    """Let the test pack its masks: ``'zip'`` for the server of a benchmark, ``'coco'`` for COCO JSON. See
    ``SubmissionHook``.

    Raises:
        ValueError: if the config has switched the results off.
    """
    if not cfg.get('default_hooks', {}).get('results'):
        raise ValueError('a submission is packed from the masks that ResultHook writes, but default_hooks.results of '
                         'the config is switched off: leave --submission out, or switch it on')
    cfg.default_hooks.submission = dict(type='SubmissionHook', formats=list(formats))
