"""Saves checkpoints so that at every moment, a crash or a full disk included, the newest whole one is there."""

from pathlib import Path

from mmengine.dist import barrier, is_main_process, master_only
from mmengine.hooks import Hook

from tempseg_mm.engine.checkpoint_files import ATOMIC, POINTER, is_complete, newest_complete, point_to
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.atomic import remove_leftovers
from tempseg_mm.runtime.weight_files import read_checkpoint

KEPT = 'keep_ckpt_ids'  # in the message hub, under mmengine's name


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """``<work_dir>/iter_<n>.pth``, ``last_checkpoint``, which names the newest, and ``best_<score>_iter_<n>.pth``.

    mmengine's hook removes an old checkpoint first, then writes the new one in place; here a new one is whole and in
    its place before an old one goes. When training is resumed without a name it goes on from the newest whole
    checkpoint, whatever ``last_checkpoint`` says.

    Args:
        interval: iterations; the last one is always saved.
        max_keep_ckpts: how many to keep; -1: all. The best one comes on top.
        save_best: name of a score of the validation, e.g. ``'J_mean'``: the weights with the highest are kept.

    Raises:
        ValueError: an interval below 1, or 0 checkpoints to keep.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: int = 1000, *, max_keep_ckpts: int = -1, save_best: str | None = None) -> None:
        if interval < 1 or max_keep_ckpts < -1 or max_keep_ckpts == 0:
            raise ValueError('interval must be at least 1, and max_keep_ckpts at least 1, or -1 for all, got '
                             f'{interval} and {max_keep_ckpts}')
        self.interval = interval
        self.max_keep_ckpts = max_keep_ckpts
        self.save_best = save_best
        self._kept: list[int] = []
        self._best: tuple[float, Path] | None = None
        self._trains = False

    def before_run(self, runner) -> None:
        if not runner.cfg.get('resume') or runner.cfg.get('load_from'):
            return
        if is_main_process():
            self._remove_leftovers(runner)
            folder = Path(runner.work_dir)
            found = newest_complete(folder)
            for path in sorted(folder.glob('iter_*.pth')):
                if not is_complete(path):
                    runner.logger.warning(f'{path} is damaged and left aside')
            point_to(found, folder / POINTER)  # where mmengine looks
        barrier()

    @master_only
    def before_train(self, runner) -> None:
        self._trains = True
        self._remove_leftovers(runner)
        if runner.iter > 0:
            self._kept = [step for step in runner.message_hub.get_info(KEPT, []) if isinstance(step, int)]
            self._best = self._best_so_far(runner)
        self._remove_old(runner)
        runner.logger.info(f'Checkpoints will be saved to {runner.work_dir}.')

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner):
            self.save(runner)

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        if self.save_best is None or not self._trains:
            return
        if self.save_best not in (metrics or {}):
            raise KeyError(f'save_best={self.save_best!r} is not among the scores of the validation: '
                           f'{", ".join(metrics or {}) or "there are none"}')
        self._keep_best(runner, float(metrics[self.save_best]))

    @master_only
    def save(self, runner) -> Path:
        """Save the state after the iteration that is just ending; for ``after_train_iter`` of any hook.

        Returns:
            The checkpoint.

        Raises:
            OSError: if it does not fit; earlier checkpoints are untouched.
        """
        step = runner.iter + 1
        runner.logger.info(f'Saving checkpoint at {step} iterations')
        self._kept = [kept for kept in self._kept if kept != step] + [step]
        if self.max_keep_ckpts > 0:  # the old one included: if this process dies before removing it, the next one will
            runner.message_hub.update_info(KEPT, list(self._kept))
        path = self._write(runner, f'iter_{step}.pth', step)
        point_to(path, path.with_name(POINTER))
        self._remove_old(runner)
        return path

    def _write(self, runner, name: str, step: int, **options) -> Path:
        runner.save_checkpoint(runner.work_dir, name, by_epoch=False, meta=dict(epoch=runner.epoch, iter=step),
                               backend_args=ATOMIC, **options)
        return Path(runner.work_dir) / name

    def _remove_leftovers(self, runner) -> None:
        removed = remove_leftovers(runner.work_dir)
        if removed:
            runner.logger.info(f'removed what was half-written when a run died: {", ".join(map(str, removed))}')

    def _remove_old(self, runner) -> None:
        if self.max_keep_ckpts < 0:
            self._kept.clear()  # or the list would grow with the run
            return
        while len(self._kept) > self.max_keep_ckpts:
            (Path(runner.work_dir) / f'iter_{self._kept.pop(0)}.pth').unlink(missing_ok=True)
        runner.message_hub.update_info(KEPT, list(self._kept))

    @master_only
    def _keep_best(self, runner, score: float) -> None:
        if self._best is not None and not score > self._best[0]:
            return
        runner.message_hub.update_info('best_score', score)
        name = f'{self._best_prefix}{runner.iter}.pth'
        path = self._write(runner, name, runner.iter, save_optimizer=False, save_param_scheduler=False)
        runner.logger.info(f'The best {self.save_best} so far, {score:.4f}, is that of {name}.')
        former, self._best = self._best, (score, path)
        if former is not None and former[1] != path:
            former[1].unlink(missing_ok=True)

    @property
    def _best_prefix(self) -> str:
        return f'best_{self.save_best}_iter_'.replace('/', '_')

    def _best_so_far(self, runner) -> tuple[float, Path] | None:
        """Asked of the files, not of the checkpoint resumed from: it may be older than the best one."""
        if self.save_best is None:
            return None
        found = [path for path in Path(runner.work_dir).glob(f'{self._best_prefix}*.pth') if is_complete(path)]
        scores = [(float(read_checkpoint(str(path))['message_hub']['runtime_info']['best_score']), path)
                  for path in found]
        for _, path in sorted(scores)[:-1]:  # a run died between writing the new one and removing the old one
            path.unlink()
        return max(scores, default=None)
