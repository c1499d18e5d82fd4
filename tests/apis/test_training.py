import os
import re
import signal
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from tempseg_mm.apis.training import run_training
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL


class SendsTerm(Hook):
    """SIGTERM to this process in the first iteration."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def weights(tiny_config, tmp_path):
    """Those of a short training, from the checkpoint it left."""
    def train(folder, **options):
        cfg = tiny_config(**{'work_dir': str(tmp_path / folder), **options})
        assert run_training(cfg) == 0
        return torch.load(tmp_path / folder / 'iter_3.pth', weights_only=True)['state_dict']
    return train


def test_a_signal_ends_it_with_a_code_of_its_own_and_resuming_with_none(tiny_config, monkeypatch):
    monkeypatch.setitem(HOOKS.module_dict, 'SendsTerm', SendsTerm)
    before = signal.getsignal(signal.SIGTERM)
    cfg = tiny_config()
    cfg.custom_hooks = [dict(type='SendsTerm')]
    assert run_training(cfg) == STOPPED_BY_SIGNAL
    assert signal.getsignal(signal.SIGTERM) == before
    assert [path.name for path in Path(cfg.work_dir).glob('*.pth')] == ['iter_1.pth']
    assert run_training(tiny_config(resume=True)) == 0
    assert (Path(cfg.work_dir) / 'iter_3.pth').is_file()


def test_its_last_lines_name_what_it_left_and_what_comes_next(tiny_config, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(HOOKS.module_dict, 'SendsTerm', SendsTerm)
    lines = dict(then='test it', again='resume it')

    def train(folder, **options):
        cfg = tiny_config(log_level='INFO', **options)
        cfg.work_dir = folder
        run_training(cfg, **lines)
        return capsys.readouterr().out.split('\n\n')[-1].splitlines()

    curves = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    checkpoint, log, tensorboard, then = train('work', **{'visualizer.vis_backends': curves})
    assert checkpoint == 'checkpoint  work/iter_3.pth' and then == 'next        test it'
    name, path = log.split()
    assert name == 'log' and path.startswith('work/') and Path(path).read_text().endswith('test it\n')
    assert re.fullmatch(r'curves      \S*tensorboard --logdir work', tensorboard)
    block = train('other', custom_hooks=[dict(type='SendsTerm')])  # without curves
    assert [line.split()[0] for line in block] == ['checkpoint', 'log', 'resume']
    assert block[-1] == 'resume      resume it'


def test_without_a_checkpoint_nothing_comes_next(tiny_config, capsys):
    run_training(tiny_config(**{'default_hooks.checkpoint': None, 'log_level': 'INFO'}), then='test it')
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r'\d\d:\d\d:\d\d  log  .*\.log', last)


def test_says_where_it_goes_on_and_where_weights_are_from(tiny_config, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    for options in ({'train_cfg.max_iters': 2, 'resume': True}, dict(resume=True),
                    dict(resume=True, load_from='work/iter_1.pth'), dict(load_from='work/iter_2.pth')):
        run_training(tiny_config(**{'log_level': 'INFO', 'default_hooks.checkpoint.interval': 1, **options}))
    said = re.findall(r'(?:no checkpoint|training resumes|weights:) .*', capsys.readouterr().out)
    assert said == ['no checkpoint in work to resume from: training starts at the beginning',
                    'training resumes after iteration 2, from work/iter_2.pth',
                    'training resumes after iteration 1, from work/iter_1.pth',
                    'weights: work/iter_2.pth (after iteration 2)']


def test_same_seed_same_weights_whoever_loads_the_data(weights, on_cpu):
    first = weights('one')
    for folder, workers in (('two', 0), ('three', 2)):
        again = weights(folder, **{'train_dataloader.num_workers': workers})
        assert all(torch.equal(value, again[name]) for name, value in first.items())
    other = weights('four', **{'randomness.seed': 1})
    assert not torch.equal(first['generator.decoder.to_logits.weight'], other['generator.decoder.to_logits.weight'])


def test_the_switch_changes_nothing_on_a_cpu_but_what_torch_allows(weights, monkeypatch, on_cpu):
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG', raising=False)
    first = weights('one')
    assert 'CUBLAS_WORKSPACE_CONFIG' not in os.environ
    try:
        strict = weights('two', **{'randomness.deterministic': True})
        assert torch.are_deterministic_algorithms_enabled() and os.environ['CUBLAS_WORKSPACE_CONFIG'] == ':4096:8'
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic = False
    assert all(torch.equal(value, strict[name]) for name, value in first.items())
