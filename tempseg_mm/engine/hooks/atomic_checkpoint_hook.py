"""Saves and loads checkpoints of a training at the stages of a run.

``engine.checkpoint_files``, ``checkpoints``, ``training_state`` and ``resumed_settings`` do the work.
"""

import os.path as osp
from pathlib import Path

from mmengine.dist import barrier, is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop
from mmengine.runner.checkpoint import get_state_dict, weights_to_cpu

from tempseg_mm.engine.checkpoint_files import ATOMIC, POINTER, best_of, is_complete, newest_complete, point_to
from tempseg_mm.engine.checkpoints import accept, make_plain
from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.engine.recipe import other_recipe, recipe_of
from tempseg_mm.engine.resumed_settings import changed_settings, read_config_text, require_resumable_with
from tempseg_mm.engine.training_state import BoundedLog, resume, training_state
from tempseg_mm.models.generator_weights import read_metadata, told_by
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.atomic import remove_leftovers
from tempseg_mm.runtime.closing_block import seen_from_here
from tempseg_mm.runtime.terminal import LOG_ONLY

KEPT = 'keep_ckpt_ids'  # mmengine's key in the message hub


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """Writes checkpoints of a training and loads them safely.

    The files in ``work_dir`` are ``iter_<n>.pth``, ``best_<score>_iter_<n>.pth``, and ``last_checkpoint``, which names
    the newest checkpoint.

    * A new checkpoint is complete and in its place before an old one is removed. mmengine's ``CheckpointHook`` removes
      the old one first, then writes the new one in place.
    * A checkpoint holds plain types only, and all that an exact resume needs. Its size does not grow with the run.
    * If training is resumed without a file name, it continues from the newest complete checkpoint, whatever
      ``last_checkpoint`` says.
    * When training is resumed, the log lists each setting that differs from the checkpoint and what happens to it, see
      ``engine.resumed_settings``. When weights are loaded for a test or as a start, a warning lists the relevant
      settings that differed in their training, see ``engine.recipe``.
    * Weights of another architecture are refused before any of them is loaded, in a test too. A file may hold the
      generator alone, as ``save_generator`` writes it; in a training the adversary then starts from scratch.

    The hook saves every ``interval`` iterations, after the last one, and after an iteration at which another hook has
    set ``train_loop.stop_training``. ``default_hooks.checkpoint=None`` switches off all of this.

    Args:
        interval: number of iterations, or epochs, between checkpoints.
        max_keep_ckpts: number of checkpoints to keep, besides the best one; -1: all.
        save_best: name of a score of the validation, e.g. ``'J_mean'``: the weights with the highest score are kept.
        by_epoch: count epochs, for ``EpochBasedTrainLoop``: ``epoch_<n>.pth``.

    Raises:
        ValueError: if ``interval`` or ``max_keep_ckpts`` is out of range; from ``before_train``, if ``by_epoch`` does
            not fit the training loop.
    """

    # Last, because then schedules have stepped, other hooks have added their data, and random numbers are drawn.
    priority = 'LOWEST'

    def __init__(self, interval: int = 1000, *, max_keep_ckpts: int = -1, save_best: str | None = None,
                 by_epoch: bool = False) -> None:
        if interval < 1 or max_keep_ckpts < -1 or max_keep_ckpts == 0:
            raise ValueError('interval must be at least 1, and max_keep_ckpts at least 1, or -1 for all; got '
                             f'{interval} and {max_keep_ckpts}')
        self.interval = interval
        self.max_keep_ckpts = max_keep_ckpts
        self.save_best = save_best
        self.by_epoch = by_epoch
        self._unit = 'epoch' if by_epoch else 'iter'
        self._kept: list[int] = []
        self._best: tuple[float, Path] | None = None
        self._state: dict | None = None
        self._trains = False

    # Start

    def before_run(self, runner) -> None:
        if not runner.cfg.get('resume') or runner.cfg.get('load_from'):
            return
        if is_main_process():
            self._remove_leftovers(runner)
            folder = Path(runner.work_dir)
            for path in sorted(folder.glob(f'{self._unit}_*.pth')):
                if not is_complete(path):
                    runner.logger.warning(f'{path} is damaged and is ignored')
            newest = newest_complete(folder)
            point_to(newest, folder / POINTER)  # where mmengine looks
            if newest is None:
                runner.logger.warning(f'no checkpoint in {seen_from_here(folder)} to resume from: training starts at '
                                      'the beginning')
        barrier()

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        source = runner.cfg.get('load_from')
        told = told_by(source) if source and osp.isfile(source) else ''
        generator_alone = accept(checkpoint, get_state_dict(runner.model), told, resume=bool(runner.cfg.get('resume')))
        if generator_alone:
            runner.logger.info(f'{source} holds the generator alone; the adversary has not been trained.{told}')
        meta = checkpoint.get('meta', {})
        done = f'after {"epoch" if self.by_epoch else "iteration"} {meta[self._unit]}' if self._unit in meta else ''
        if runner.cfg.get('resume'):
            runner.logger.info(f'training resumes {done}, from {_named(source or newest_complete(runner.work_dir))}')
            self._compare_settings(runner, meta)
        elif source:  # otherwise a program loads them through the Runner, and knows where they come from
            runner.logger.info(f'weights: {_named(source)}{done and f" ({done})"}')
            own = read_metadata(source) if osp.isfile(source) else {}
            self._compare_recipes(runner, meta or own, _named(source))
        self._state = checkpoint.pop('training_state', None)

    def before_train(self, runner) -> None:
        if self.by_epoch != isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(f'AtomicCheckpointHook(by_epoch={self.by_epoch}) does not fit '
                             f'{type(runner.train_loop).__name__}. Set by_epoch=True for EpochBasedTrainLoop, which '
                             'can resume only at the start of an epoch, and by_epoch=False for all other loops')
        self._log = BoundedLog(runner.log_processor)
        self._prepare_folder(runner)

    def before_train_epoch(self, runner) -> None:
        state, self._state = self._state, None
        if isinstance(runner.train_loop, GANTrainLoop) and runner.iter > 0:  # otherwise they are start weights
            resume(runner.train_loop, state, runner.logger)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        self._log.shorten(runner.message_hub.log_scalars)

    # Saving

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if not self.by_epoch and (self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)
                                  or runner.train_loop.stop_training):
            if isinstance(runner.train_loop, GANTrainLoop):
                runner.train_loop.catch_up()
            self._save(runner, runner.iter + 1, epoch=runner.epoch, iter=runner.iter + 1)

    def after_train_epoch(self, runner) -> None:
        if self.by_epoch and (self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)
                              or runner.train_loop.stop_training):
            self._save(runner, runner.epoch + 1, epoch=runner.epoch + 1, iter=runner.iter)

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        if self.save_best is None or not self._trains:
            return
        if self.save_best not in (metrics or {}):
            raise KeyError(f'save_best={self.save_best!r} is not among the scores of the validation: '
                           f'{", ".join(metrics or {}) or "there are no scores"}')
        self._keep_best(runner, float(metrics[self.save_best]))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if is_model_wrapper(runner.model):  # mmengine's keys would contain the wrappers, but loading expects none
            checkpoint['state_dict'] = weights_to_cpu(get_state_dict(runner.model))
        if isinstance(runner.train_loop, GANTrainLoop):
            checkpoint['training_state'] = training_state(runner.train_loop)
        make_plain(checkpoint)

    @master_only
    def _prepare_folder(self, runner) -> None:
        self._trains = True
        self._remove_leftovers(runner)
        if runner.iter > 0:
            self._kept = [number for number in runner.message_hub.get_info(KEPT, []) if isinstance(number, int)]
            if self.save_best is not None:
                self._best = best_of(Path(runner.work_dir), self._best_prefix)
        self._remove_old(runner)
        runner.logger.info(f'Checkpoints will be saved to {runner.work_dir}.', extra=LOG_ONLY)

    @master_only
    def _save(self, runner, number: int, **position: int) -> None:
        """Save a checkpoint. If it does not fit on the disk, earlier checkpoints do not change."""
        runner.logger.info(f'Saving checkpoint at {number} {"epochs" if self.by_epoch else "iterations"}',
                           extra=LOG_ONLY)
        self._kept = [kept for kept in self._kept if kept != number] + [number]
        if self.max_keep_ckpts > 0:  # the list includes the old one: if this process dies, the next run removes it
            runner.message_hub.update_info(KEPT, list(self._kept))
        path = self._write(runner, f'{self._unit}_{number}.pth', position)
        point_to(path, path.with_name(POINTER))
        self._remove_old(runner)

    @master_only
    def _keep_best(self, runner, score: float) -> None:
        if self._best is not None and not score > self._best[0]:
            return
        runner.message_hub.update_info('best_score', score)
        position = dict(epoch=runner.epoch, iter=runner.iter)
        name = f'{self._best_prefix}{position[self._unit]}.pth'
        path = self._write(runner, name, position, save_optimizer=False, save_param_scheduler=False)
        runner.logger.info(f'The best {self.save_best} so far is {score:.4f}, of {name}.')
        former, self._best = self._best, (score, path)
        if former is not None and former[1] != path:
            former[1].unlink(missing_ok=True)

    def _write(self, runner, name: str, position: dict, **options) -> Path:
        runner.save_checkpoint(runner.work_dir, name, by_epoch=self.by_epoch, meta=position, backend_args=ATOMIC,
                               **options)
        return Path(runner.work_dir) / name

    def _compare_settings(self, runner, meta: dict) -> None:
        then = read_config_text(str(meta.get('cfg', '')))
        if then is None:
            runner.logger.warning('the checkpoint does not contain its settings, so they cannot be compared')
            return
        changed = changed_settings(then, runner.cfg.to_dict())
        require_resumable_with(changed)
        if changed:
            runner.logger.warning(str(changed))
        train_cfg, done = runner.cfg.get('train_cfg', {}), meta.get(self._unit, 0)
        end = train_cfg.get('max_epochs' if self.by_epoch else 'max_iters')
        if train_cfg.get('max_minutes') is None and end is not None and done >= end:
            runner.logger.warning(f'the checkpoint is already at {self._unit} {done}, and training ends at {end}: '
                                  'nothing is left to do')

    def _compare_recipes(self, runner, told: dict, source: str) -> None:
        notice = other_recipe(told, recipe_of(runner.cfg.to_dict(), 'test'), source)
        if notice:
            runner.logger.warning(notice)

    def _remove_leftovers(self, runner) -> None:
        removed = remove_leftovers(runner.work_dir)
        if removed:
            runner.logger.info(f'removed files that a dead run left half-written: {", ".join(map(str, removed))}')

    def _remove_old(self, runner) -> None:
        if self.max_keep_ckpts < 0:
            self._kept.clear()  # otherwise the list would grow with the run
            return
        while len(self._kept) > self.max_keep_ckpts:
            (Path(runner.work_dir) / f'{self._unit}_{self._kept.pop(0)}.pth').unlink(missing_ok=True)
        runner.message_hub.update_info(KEPT, list(self._kept))

    @property
    def _best_prefix(self) -> str:
        return f'best_{self.save_best}_{self._unit}_'.replace('/', '_')


def _named(source: str | Path) -> str:
    """Return a file as a path relative to the current folder, and a URL unchanged."""
    return seen_from_here(source) if osp.isfile(source) else str(source)
