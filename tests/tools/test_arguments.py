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
        def train(self, *_):
            pass
        test = register_hook = train
    monkeypatch.setattr(Runner, 'from_cfg', lambda cfg: configs.append(cfg) or Idle())
    return configs


@pytest.mark.parametrize('tool, words', [
    ('train', ['examples:', 'python tools/train.py configs/', '--resume', '--amp', '--cfg-options']),
    ('test', ['examples:', 'python tools/test.py configs/', '--baselines', '--tta', '--crf', '--report', '--sequences',
              '--show-dir', '--out']),
    ('tune_crf', ['examples:', 'python tools/tune_crf.py configs/', '--split', '--trials', '--frames-per-sequence']),
    ('run_table', ['examples:', 'python tools/run_table.py 1', '--preset', '--resume', 'default: 1']),
    ('make_synthetic', ['in the layout of DAVIS', '--difficulty', 'default: 24']),
])
def test_help(call, capsys, tool, words):
    with pytest.raises(SystemExit) as end:
        call(tool, '--help')
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize('tool', ['train', 'test', 'tune_crf'])
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
    call('train', path, '--resume', 'some.pth', '--deterministic')
    first, auto, named = built
    assert first.work_dir == 'w' and first.train_cfg.max_iters == 7 and not first.resume
    assert {first.optim_wrapper[name].type for name in ('generator', 'adversary')} == {'BF16OptimWrapper'}
    assert device_utils.DEVICE == 'cpu'
    assert auto.resume and auto.load_from is None and not auto.randomness.get('deterministic')
    assert auto.optim_wrapper.generator.type == 'OptimWrapper'
    assert named.resume and named.load_from == 'some.pth' and named.randomness == dict(seed=0, deterministic=True)


def test_train_ends_with_the_code_of_the_run(call, config_file, monkeypatch):
    from tempseg_mm import apis
    monkeypatch.setattr(apis, 'run_training', lambda cfg: 75)
    with pytest.raises(SystemExit) as end:
        call('train', config_file())
    assert end.value.code == 75


def test_test_arguments_reach_the_config(call, config_file, built):
    path = config_file(**{'default_hooks.overlays': dict(type='OverlayHook')})
    call('test', path, 'some.pth', '--out', 'o', '--show-dir', 's', '--sequences', 'a', 'b', '--baselines', '--report')
    cfg, = built
    assert cfg.load_from == 'some.pth' and not cfg.resume
    assert (cfg.default_hooks.results.out_dir, cfg.default_hooks.overlays.out_dir) == ('o', 's')
    assert cfg.default_hooks.report == dict(type='ReportHook', out_dir='o')
    assert cfg.test_dataloader.dataset.sequences == ['a', 'b']
    assert cfg.default_hooks.baselines == dict(type='BaselineHook')


@pytest.mark.parametrize('flags', [('--tta', '--crf'), ('--crf', '--tta')])
def test_flags_of_the_plus_plus(call, config_file, built, flags):
    path = config_file(crf=dict(_delete_=True, type='DenseCRF', srgb=7.0))
    call('test', path, 'some.pth', *flags)
    assert built[0].default_hooks.tta == dict(type='TTAHook')
    assert built[0].default_hooks.crf == dict(type='CRFHook', crf=dict(type='DenseCRF', srgb=7.0))
    path.write_text(path.read_text() + "\ndefault_hooks['crf'] = dict(type='CRFHook', workers=0)\n")
    call('test', path, 'some.pth', *flags)  # its own hook stays
    assert built[1].default_hooks.tta == dict(type='TTAHook')
    assert built[1].default_hooks.crf == dict(type='CRFHook', workers=0)


def test_tune_crf_arguments(call, config_file, capsys, monkeypatch):
    from tempseg_mm import apis
    from tempseg_mm.inference.crf_search import OFF, MaskScores, SearchReport
    asked = []
    monkeypatch.setattr(apis, 'tune_crf', lambda cfg, out, **settings: asked.append((cfg, out, settings)) or (
        SearchReport(OFF, MaskScores(0.5, 0.7), MaskScores(0.5, 0.7))))
    call('tune_crf', config_file(), 'some.pth', '--out', 'crf.py', '--sequences', 'a', '--trials', 9, '--seed', 3,
         '--frames-per-sequence', 2, '--workers', 1)
    (cfg, out, settings), = asked
    assert cfg.load_from == 'some.pth' and cfg.test_dataloader.dataset.sequences == ['a'] and out == 'crf.py'
    assert settings == dict(split='train', trials=9, frames_per_sequence=2, seed=3, workers=1)
    assert 'Nothing gained: no settings tried were better than no CRF (J 0.5000, F 0.7000)' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call('tune_crf', config_file())
    assert 'required: --out' in capsys.readouterr().err


def test_bfloat16_without_an_adversary(call, config_file, built):
    path = config_file()
    path.write_text(path.read_text() + "\noptim_wrapper.pop('adversary')\nmodel['adversary'] = None\n")
    call('train', path, '--amp')
    assert built[0].optim_wrapper.generator.type == 'BF16OptimWrapper'


@pytest.mark.parametrize('tool, more', [('train', ()), ('test', ()), ('tune_crf', ('--out', 'crf.py'))])
def test_a_slip_in_a_setting(call, config_file, capsys, built, tool, more):
    with pytest.raises(SystemExit) as end:
        call(tool, config_file(), *more, '--cfg-options', 'trian_cfg.max_iters=5')
    assert end.value.code == 2 and built == []
    assert 'trian_cfg.max_iters: there is no setting' in (said := capsys.readouterr().err)
    assert 'did you mean train_cfg.max_iters?' in said


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


def test_a_row_that_a_table_does_not_have(call, capsys):
    with pytest.raises(SystemExit) as end:
        call('run_table', '1', '--rows', 'full', 'fulll')
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert 'table 1 of preset synthetic has no row fulll; it has: no_finetuning, no_davis_training' in said


def test_a_table_is_run_and_printed(call, capsys, tmp_path, monkeypatch):
    from tempseg_mm.paper_tables import run
    monkeypatch.setattr(run.TableRun, 'run', lambda self, **_: [f'{self.seeds} {self.jobs} went wrong'])
    with pytest.raises(SystemExit, match=r'\[3, 4\] 2 went wrong'):
        call('run_table', '1', '--seeds', '3', '4', '--jobs', '2', '--out', str(tmp_path / 'out'))
    assert 'Table 1, synthetic preset' in capsys.readouterr().out
    assert (tmp_path / 'out/table.md').exists() and (tmp_path / 'out/table.csv').exists()
