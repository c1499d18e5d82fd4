"""What the commands say about themselves, and about what they cannot do; called in this process, which is faster."""

import runpy
import sys
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.device import utils as device_utils
from mmengine.runner import Runner

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(monkeypatch):
    """``call('train', ...)`` runs the ``main`` of tools/train.py with these arguments."""
    def run(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [f'tools/{tool}.py', *map(str, arguments)])
        runpy.run_path(str(ROOT / f'tools/{tool}.py'))['main']()
    return run


@pytest.fixture
def config_file(tiny_config, tmp_path):
    """The tiny config as a file."""
    def write(**options):
        path = tmp_path / 'tiny.py'
        tiny_config(**options).dump(path)
        return path
    return write


@pytest.fixture
def built(monkeypatch):
    """The configs of which a Runner was asked for; none is built."""
    configs = []

    class Idle:
        def train(self):
            pass
        test = train
    monkeypatch.setattr(Runner, 'from_cfg', lambda cfg: configs.append(cfg) or Idle())
    return configs


@pytest.mark.parametrize('tool, words', [
    ('train', ['examples:', 'python tools/train.py configs/', '--resume', '--amp', '--cfg-options']),
    ('test', ['examples:', 'python tools/test.py configs/', '--baselines', '--sequences', '--show-dir', '--out']),
    ('make_synthetic', ['in the layout of DAVIS', '--difficulty', 'default: 24']),
])
def test_help(call, capsys, tool, words):
    with pytest.raises(SystemExit) as end:
        call(tool, '--help')
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_examples_name_configs_that_exist(call, capsys, tool):
    with pytest.raises(SystemExit):
        call(tool, '--help')
    named = {word for word in capsys.readouterr().out.split() if word.startswith('configs/') and word.endswith('.py')}
    assert named and all((ROOT / name).is_file() for name in named)


def test_train_arguments_reach_the_config(call, config_file, built, monkeypatch):
    monkeypatch.setattr(device_utils, 'DEVICE', 'cuda')
    path = config_file()
    call('train', path, '--work-dir', 'w', '--amp', '--device', 'cpu', '--cfg-options', 'train_cfg.max_iters=7')
    call('train', path, '--resume')
    call('train', path, '--resume', 'some.pth')
    first, auto, named = built
    assert first.work_dir == 'w' and first.train_cfg.max_iters == 7 and not first.resume
    assert {first.optim_wrapper[name].type for name in ('generator', 'adversary')} == {'BF16OptimWrapper'}
    assert device_utils.DEVICE == 'cpu'
    assert auto.resume and auto.load_from is None
    assert auto.optim_wrapper.generator.type == 'OptimWrapper'
    assert named.resume and named.load_from == 'some.pth'


def test_test_arguments_reach_the_config(call, config_file, built):
    path = config_file(**{'default_hooks.overlays': dict(type='OverlayHook')})
    call('test', path, 'some.pth', '--out', 'o', '--show-dir', 's', '--sequences', 'a', 'b', '--baselines')
    cfg, = built
    assert cfg.load_from == 'some.pth' and not cfg.resume
    assert (cfg.default_hooks.results.out_dir, cfg.default_hooks.overlays.out_dir) == ('o', 's')
    assert cfg.test_dataloader.dataset.sequences == ['a', 'b']
    assert cfg.custom_hooks[-1]['type'] == 'BaselineHook'


def test_bfloat16_without_an_adversary(call, config_file, built):
    path = config_file()
    path.write_text(path.read_text() + "\noptim_wrapper.pop('adversary')\nmodel['adversary'] = None\n")
    call('train', path, '--amp')
    assert built[0].optim_wrapper.generator.type == 'BF16OptimWrapper'


def test_missing_config(call, tmp_path):
    with pytest.raises(FileNotFoundError, match='no config at .*gone.py'):
        call('train', tmp_path / 'gone.py')


def test_missing_data(call, config_file, tmp_path):
    path = config_file(**{'train_dataloader.dataset': dict(
        _delete_=True, type='DAVISDataset', data_root=str(tmp_path / 'gone'), split='train')})
    with pytest.raises(FileNotFoundError, match='data root .*gone.* is not a folder.*configs/tempseg_synthetic.py'):
        call('train', path)


def test_testing_before_training(call, config_file):
    with pytest.raises(FileNotFoundError, match='no checkpoint in .*train first'):
        call('test', config_file())


def test_unknown_sequence(call, config_file, tmp_path):
    with pytest.raises(ValueError, match="unknown sequence 'tset_000' in split 'test'.*nearest: test_000"):
        call('test', config_file(), tmp_path / 'any.pth', '--sequences', 'tset_000')


def test_checkpoint_of_another_architecture(call, config_file, make_model, tmp_path):
    torch.save(make_model(width=0.125).state_dict(), tmp_path / 'wider.pth')
    with pytest.raises(ValueError, match=r'another architecture than the config: generator\.backbone.*Use the config'):
        call('test', config_file(), tmp_path / 'wider.pth')


def test_make_synthetic_writes_once(call, capsys, tmp_path):
    arguments = ('--out', tmp_path / 'data', '--train-sequences', 1, '--test-sequences', 2, '--frames', 3,
                 '--height', 48, '--width', 64, '--difficulty', 'easy', '--seed', 4)
    call('make_synthetic', *arguments)
    assert 'written' in capsys.readouterr().out
    assert (tmp_path / 'data/ImageSets/48p/test.txt').read_text().split() == ['test_000', 'test_001']
    assert cv2.imread(str(tmp_path / 'data/JPEGImages/48p/train_000/00002.jpg')).shape == (48, 64, 3)
    assert len(list((tmp_path / 'data/Annotations/48p/train_000').iterdir())) == 3
    call('make_synthetic', *arguments)
    assert 'there already' in capsys.readouterr().out
    with pytest.raises(ValueError, match='made with another seed'):
        call('make_synthetic', *arguments[:-1], 5)
