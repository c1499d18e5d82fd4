import errno
import os
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from tempseg_mm.runtime.atomic import HOST

DEAD = 2**22 + 1  # beyond the largest process id that Linux gives


def checkpoints(folder):
    return sorted(path.name for path in Path(folder).glob('[!.]*.pth'))


def resuming(tiny_config, max_iters, **options):
    return Runner.from_cfg(tiny_config(**{
        'train_cfg.max_iters': max_iters, 'default_hooks.checkpoint.interval': 1, 'resume': True, **options}))


def validated(runner, metrics):
    next(hook for hook in runner.hooks if isinstance(hook, AtomicCheckpointHook)).after_val_epoch(runner, metrics)


class Scores(Hook):
    """Says what each validation found, in place of a validation."""

    def __init__(self, scores):
        self.scores = scores

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        score = self.scores.get(runner.iter + 1)
        self.due = score if score is None else dict(J_mean=score, F_mean=0)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """Validation follows the iteration, whose number has by then been counted."""
        if getattr(self, 'due', None):
            validated(runner, self.due)


def test_checkpoints_of_a_run(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 5, 'default_hooks.checkpoint': dict(
        type='AtomicCheckpointHook', interval=2, max_keep_ckpts=2)})
    runner.train()
    assert checkpoints(runner.work_dir) == ['iter_4.pth', 'iter_5.pth']  # the last one is always saved
    assert (Path(runner.work_dir) / 'last_checkpoint').read_text() == f'{runner.work_dir}/iter_5.pth'
    content = torch.load(f'{runner.work_dir}/iter_5.pth', weights_only=True)
    assert content['meta']['iter'] == 5 and content['meta']['epoch'] == 0
    assert not list(Path(runner.work_dir).glob('.*'))


def test_an_old_one_goes_when_the_new_one_is_there(make_runner, monkeypatch):
    """mmengine's hook has none left when it dies with max_keep_ckpts=1."""
    seen = []
    replace = os.replace

    def spy(source, target):
        seen.append((Path(target).name, checkpoints(Path(target).parent)))
        replace(source, target)

    monkeypatch.setattr(os, 'replace', spy)
    runner = make_runner(**{'train_cfg.max_iters': 2, 'default_hooks.checkpoint.interval': 1,
                            'default_hooks.checkpoint.max_keep_ckpts': 1})
    runner.train()
    steps = [(name, there) for name, there in seen if name.startswith(('iter', 'last'))]
    assert steps == [('iter_1.pth', []), ('last_checkpoint', ['iter_1.pth']), ('iter_2.pth', ['iter_1.pth']),
                     ('last_checkpoint', ['iter_1.pth', 'iter_2.pth'])]
    assert checkpoints(runner.work_dir) == ['iter_2.pth']


@pytest.fixture
def stopped(make_runner):
    """Work dir of a run of three iterations, with a checkpoint of each, as a kill in mid-write would leave it: the
    newest cut short, a part of another beside it, and the one that was to be removed still there."""
    runner = make_runner(**{'train_cfg.max_iters': 3, 'default_hooks.checkpoint.interval': 1,
                            'default_hooks.checkpoint.max_keep_ckpts': 2})
    AtomicCheckpointHook._remove_old, kept = (lambda self, runner: None), AtomicCheckpointHook._remove_old
    try:
        runner.train()
    finally:
        AtomicCheckpointHook._remove_old = kept
    folder = Path(runner.work_dir)
    os.truncate(folder / 'iter_3.pth', 1000)
    (folder / f'.iter_4.{HOST}-{DEAD}.pth').write_bytes(b'PK')
    (folder / f'.iter_4.{HOST}-{os.getppid()}.pth').write_bytes(b'PK')  # somebody who lives
    return folder


def test_resuming_after_a_kill(stopped, tiny_config):
    assert checkpoints(stopped) == ['iter_1.pth', 'iter_2.pth', 'iter_3.pth']
    runner = resuming(tiny_config, 4, **{'default_hooks.checkpoint.max_keep_ckpts': 1})
    starts = []
    runner.train_loop.run_iter = lambda batch, run=runner.train_loop.run_iter: starts.append(runner.iter) or run(batch)
    runner.train()
    assert starts == [2, 3]
    assert checkpoints(stopped) == ['iter_4.pth']
    assert [path.name for path in stopped.glob('.*')] == [f'.iter_4.{HOST}-{os.getppid()}.pth']


def test_resuming_where_nothing_is_whole_starts_anew(stopped, tiny_config):
    for name in ('iter_1.pth', 'iter_2.pth'):
        os.truncate(stopped / name, 10)
    runner = resuming(tiny_config, 1)
    runner.train()
    assert torch.load(stopped / 'iter_1.pth', weights_only=True)['meta']['iter'] == 1


def test_a_full_disk_ends_training_with_the_earlier_checkpoint_intact(make_runner, monkeypatch):
    runner = make_runner(**{'train_cfg.max_iters': 3, 'default_hooks.checkpoint.interval': 1,
                            'default_hooks.checkpoint.max_keep_ckpts': 1})
    write = Path.write_bytes

    def full(path, content):
        if 'iter_2' in path.name:
            write(path, content[:500])
            raise OSError(errno.ENOSPC, 'No space left on device')
        return write(path, content)

    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(OSError, match=r'no space: .* MiB are free.*untouched.*iter_2\.pth'):
        runner.train()
    assert checkpoints(runner.work_dir) == ['iter_1.pth'] and not list(Path(runner.work_dir).glob('.*'))
    torch.load(f'{runner.work_dir}/iter_1.pth', weights_only=True)
    assert (Path(runner.work_dir) / 'last_checkpoint').read_text().endswith('iter_1.pth')


def test_the_best_is_kept_beside_the_newest(make_runner, tiny_config):
    options = {'train_cfg.max_iters': 5, 'default_hooks.checkpoint.interval': 1,
               'default_hooks.checkpoint.max_keep_ckpts': 1, 'default_hooks.checkpoint.save_best': 'J_mean'}
    runner = make_runner(**options)
    runner.register_hook(Scores({1: 0.3, 2: 0.5, 3: 0.4, 4: float('nan')}), priority='VERY_HIGH')
    runner.train()
    assert checkpoints(runner.work_dir) == ['best_J_mean_iter_2.pth', 'iter_5.pth']
    best = torch.load(f'{runner.work_dir}/best_J_mean_iter_2.pth', weights_only=True)
    assert best['meta']['iter'] == 2 and 'optimizer' not in best

    torch.save(dict(best, message_hub=dict(runtime_info=dict(best_score=0.2))),  # one that a kill left
               f'{runner.work_dir}/best_J_mean_iter_1.pth')
    again = resuming(tiny_config, 8, **{name: value for name, value in options.items() if 'max_iters' not in name})
    again.register_hook(Scores({6: 0.45, 7: 0.6}), priority='VERY_HIGH')
    again.train()
    assert checkpoints(again.work_dir) == ['best_J_mean_iter_7.pth', 'iter_8.pth']


def test_a_score_that_is_not_taken(make_runner):
    runner = make_runner(**{'default_hooks.checkpoint.save_best': 'J'})
    runner.register_hook(Scores({1: 0.3}))
    with pytest.raises(KeyError, match="save_best='J' is not among the scores of the validation: J_mean"):
        runner.train()


def test_a_validation_without_training_saves_nothing(make_runner):
    runner = make_runner(**{'default_hooks.checkpoint.save_best': 'J_mean'})
    validated(runner, dict(J_mean=1.0))
    assert checkpoints(runner.work_dir) == []


def test_what_a_checkpoint_says_cannot_remove_other_files(make_runner, tiny_config, tmp_path):
    """Only numbers count among what is to be removed, and the best one is looked up in the folder."""
    runner = make_runner(**{'train_cfg.max_iters': 1})
    runner.train()
    path = Path(runner.work_dir) / 'iter_1.pth'
    content = torch.load(path, weights_only=True)
    (Path(runner.work_dir) / 'iter_').mkdir()
    victim = tmp_path / 'work/precious.pth'
    victim.touch()
    content['message_hub']['runtime_info'].update(
        keep_ckpt_ids=['/../precious', str(victim), 1], best_ckpt=str(victim), best_score=-1.0)
    torch.save(content, path)
    resuming(tiny_config, 3, **{'default_hooks.checkpoint.max_keep_ckpts': 1}).train()
    assert victim.exists() and checkpoints(runner.work_dir) == ['iter_3.pth', 'precious.pth']


@pytest.mark.parametrize('options', [dict(interval=0), dict(max_keep_ckpts=0), dict(max_keep_ckpts=-2)])
def test_numbers_that_make_no_sense(options):
    with pytest.raises(ValueError, match='interval must be at least 1, and max_keep_ckpts at least 1, or -1 for all'):
        AtomicCheckpointHook(**options)
