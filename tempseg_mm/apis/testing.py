"""What ``tools/test.py`` and ``tools/tune_crf.py`` do to a config before a test, and how they start one."""

import os.path as osp

from mmengine.config import Config
from mmengine.runner import Runner

from .config import newest_checkpoint

NEWEST, NONE = 'newest', 'none'


def choose_checkpoint(cfg: Config, named: str | None = None) -> str | None:
    """Path of the weights to test.

    Args:
        cfg: its ``checkpoint`` counts where none is named, and its work dir.
        named: ``'newest'``, the newest checkpoint of the work dir; ``'none'``, weights as the initialisation leaves
            them; a folder, the newest checkpoint in it; or a checkpoint.

    Returns:
        The path; ``None`` for ``'none'``.

    Raises:
        FileNotFoundError: if a folder has no checkpoint.
    """
    wanted = named or cfg.get('checkpoint') or NEWEST
    if wanted == NONE:
        return None
    if wanted == NEWEST:
        return newest_checkpoint(cfg.work_dir)
    is_folder = osp.isdir(wanted) or not osp.splitext(wanted)[1]
    return newest_checkpoint(wanted) if is_folder else wanted


def add_hook(cfg: Config, hook: dict) -> None:
    """Append a custom hook, unless the config has one of its type: then that one stays as it is."""
    cfg.setdefault('custom_hooks', [])
    if all(own['type'] != hook['type'] for own in cfg.custom_hooks):
        cfg.custom_hooks = [*cfg.custom_hooks, hook]


def run_test(cfg: Config) -> Runner:
    """Test the weights of ``cfg.load_from``; without any, the network as its initialisation leaves it.

    Returns:
        The Runner, when the test is over.
    """
    runner = Runner.from_cfg(cfg)
    if cfg.load_from is None:
        runner.test_loop.model.init_weights()
    runner.test()
    return runner
