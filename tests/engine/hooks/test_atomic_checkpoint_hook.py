import errno
import os
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

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


class Stops(Hook):
    """Asks the loop to stop in iteration ``at``, from 1, as any hook may."""

    def __init__(self, at):
        self.at = at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.at:
            runner.train_loop.stop_training = True


@pytest.fixture
def saves(monkeypatch):
    """A number for each checkpoint that is written."""
    found, save = [], torch.save
    monkeypatch.setattr(torch, 'save', lambda *args, **kwargs: found.append(1) or save(*args, **kwargs))
    return found


@pytest.mark.parametrize('interval', [1000, 2])
def test_the_iteration_at_which_a_hook_stops_training_is_saved_once(make_runner, saves, interval):
    runner = make_runner(**{'default_hooks.checkpoint.interval': interval})
    runner.register_hook(Stops(2))
    runner.train()
    assert checkpoints(runner.work_dir) == ['iter_2.pth'] and len(saves) == 1


@pytest.mark.parametrize('options', [dict(interval=0), dict(max_keep_ckpts=0), dict(max_keep_ckpts=-2)])
def test_numbers_that_make_no_sense(options):
    with pytest.raises(ValueError, match='interval must be at least 1, and max_keep_ckpts at least 1, or -1 for all'):
        AtomicCheckpointHook(**options)


# By epochs


class Line(BaseModel):
    """One weight, so that an epoch takes no time."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs, mode='loss'):
        return dict(loss=(self.weight - 1).square().sum())


@pytest.fixture
def make_epochs(tmp_path, monkeypatch):
    """A Runner of epochs of two iterations each; options of the hook by name."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)

    def make(max_epochs, *hooks, resume=False, **options):
        hook = dict(type='AtomicCheckpointHook', **{'interval': 1, 'by_epoch': True, **options})
        runner = Runner(
            Line(), str(tmp_path / 'work'), train_dataloader=DataLoader([dict(inputs=torch.zeros(1))] * 2),
            train_cfg=dict(by_epoch=True, max_epochs=max_epochs), default_scope='tempseg_mm', resume=resume,
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)), log_level='WARNING',
            param_scheduler=dict(type='StepLR', step_size=1, gamma=0.5), default_hooks=dict(checkpoint=hook),
            experiment_name=f'epochs-{uuid.uuid4().hex}', cfg=Config(dict(resume=resume)))
        for other in hooks:
            runner.register_hook(other)
        return runner
    return make


def test_epochs_are_saved_and_resumed(make_epochs):
    whole = make_epochs(4)
    whole.train()
    folder = Path(whole.work_dir)
    assert checkpoints(folder) == [f'epoch_{number}.pth' for number in (1, 2, 3, 4)]
    for name in ('epoch_4.pth', 'last_checkpoint'):
        (folder / name).unlink()
    os.truncate(folder / 'epoch_3.pth', 1000)
    saved = torch.load(folder / 'epoch_2.pth', weights_only=True)
    assert (saved['meta']['epoch'], saved['meta']['iter']) == (2, 4)
    assert saved['param_schedulers'][0]['last_step'] == 2  # it has stepped

    again, starts = make_epochs(4, resume=True, interval=3, max_keep_ckpts=1), []
    run_epoch = again.train_loop.run_epoch
    again.train_loop.run_epoch = lambda: starts.append((again.epoch, again.iter)) or run_epoch()
    again.train()
    assert starts == [(2, 4), (3, 6)]
    assert torch.equal(again.model.weight, whole.model.weight)
    # 3 was due, and 4 was the last; those of the first run, which kept all, are not this one's to remove
    assert checkpoints(folder) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_4.pth']
    assert (folder / 'last_checkpoint').read_text() == f'{folder}/epoch_4.pth'


def test_a_stop_comes_at_the_end_of_an_epoch(make_epochs, saves):
    runner = make_epochs(3, Stops(3), interval=1000)
    runner.train()
    assert runner.iter == 4 and checkpoints(runner.work_dir) == ['epoch_2.pth'] and len(saves) == 1


def test_the_best_epoch_is_kept(make_epochs):
    runner = make_epochs(1, save_best='top1')
    runner.train()
    validated(runner, dict(top1=0.5))  # as the loop does after the epoch
    assert checkpoints(runner.work_dir) == ['best_top1_epoch_1.pth', 'epoch_1.pth']
    assert torch.load(f'{runner.work_dir}/best_top1_epoch_1.pth', weights_only=True)['meta']['iter'] == 2


def test_epochs_and_iterations_are_not_mixed_up(make_epochs, make_runner):
    with pytest.raises(ValueError, match=r'by_epoch=False\) does not fit EpochBasedTrainLoop'):
        make_epochs(1, by_epoch=False).train()
    with pytest.raises(ValueError, match=r'by_epoch=True\) does not fit GANTrainLoop. Set by_epoch=True for EpochBas'):
        make_runner(**{'default_hooks.checkpoint.by_epoch': True}).train()
