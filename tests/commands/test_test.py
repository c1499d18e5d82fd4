"""Arguments that reach the config, what is refused, and a process that is stopped from outside and then resumed."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_sigterm_keeps_finished_sequences_and_resume_goes_on(command, tiny_config, tmp_path):
    config = tmp_path / 'tiny.py'
    tiny_config(**{'default_hooks.finetune.finetuner.steps': 15, 'test_evaluator.measures': ['J', 'F']}).dump(config)
    records = tmp_path / 'cut/sequences'

    def arguments(out):
        folders = ['--work-dir', str(tmp_path / 'work'), '--out', str(tmp_path / out)]
        return [str(config), 'none', *folders]
    process = subprocess.Popen(
        [sys.executable, 'tools/test.py', *arguments('cut')], cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
    end = time.monotonic() + 100
    while not (records / 'test_000.json').exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.terminate()
    _, text = process.communicate(timeout=30)
    assert process.returncode == 75, text
    assert 'stopped by SIGTERM: finished sequences are kept; go on with --resume' in text
    assert [path.name for path in records.iterdir()] == ['test_000.json']
    assert not (tmp_path / 'cut/scores.json').exists()

    before = (records / 'test_000.json').stat().st_mtime_ns
    for more in (arguments('cut') + ['--resume'], arguments('whole')):
        command('test', *more)
    assert (records / 'test_000.json').stat().st_mtime_ns == before
    cut, whole = ({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*')}
                  for folder in (tmp_path / 'cut', tmp_path / 'whole'))
    assert cut == whole and len(whole) == 12 + 2 + 2


def test_test_arguments_reach_the_config(command, config_file, built):
    path = config_file(**{'default_hooks.overlays': dict(type='OverlayHook')})
    command('test', path, 'some.pth', '--out', 'o', '--show-dir', 's', '--sequences', 'a', 'b', '--baselines',
            '--report')
    cfg, = built
    assert cfg.load_from == 'some.pth' and not cfg.resume
    assert (cfg.default_hooks.results.out_dir, cfg.default_hooks.overlays.out_dir) == ('o', 's')
    assert cfg.default_hooks.report == dict(type='ReportHook', out_dir='o')
    assert cfg.test_dataloader.dataset.sequences == ['a', 'b']
    assert cfg.default_hooks.baselines == dict(type='BaselineHook')


@pytest.mark.parametrize('flags', [('--tta', '--crf'), ('--crf', '--tta')])
def test_flags_of_the_plus_plus(command, config_file, built, flags):
    path = config_file(crf=dict(_delete_=True, type='DenseCRF', srgb=7.0))
    command('test', path, 'some.pth', *flags)
    assert built[0].default_hooks.tta == dict(type='TTAHook')
    assert built[0].default_hooks.crf == dict(type='CRFHook', crf=dict(type='DenseCRF', srgb=7.0))
    path.write_text(path.read_text() + "\ndefault_hooks['crf'] = dict(type='CRFHook', workers=0)\n")
    command('test', path, 'some.pth', *flags)  # its own hook stays
    assert built[1].default_hooks.tta == dict(type='TTAHook')
    assert built[1].default_hooks.crf == dict(type='CRFHook', workers=0)


def test_testing_before_training(refused, config_file):
    assert re.search('no checkpoint in .*train first', refused('test', config_file()))


def test_unknown_sequence(refused, config_file, tmp_path):
    said = refused('test', config_file(), tmp_path / 'any.pth', '--sequences', 'tset_000')
    assert re.search("unknown sequence 'tset_000' in split 'test'.*nearest: test_000", said)


def test_checkpoint_of_another_architecture(refused, config_file, make_model, tmp_path):
    torch.save(make_model(width=0.125).state_dict(), tmp_path / 'wider.pth')
    said = refused('test', config_file(), tmp_path / 'wider.pth')
    assert re.search(r'another architecture than the config: generator\.backbone.*Use the config', said)
