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
    tiny_config(**{'default_hooks.finetune.finetuner.steps': 100, 'test_evaluator.measures': ['J', 'F']}).dump(config)
    records = tmp_path / 'cut/sequences'

    def arguments(out):
        folders = ['--work-dir', str(tmp_path / 'work'), '--out', str(tmp_path / out)]
        return [str(config), 'none', '--device', 'cpu', *folders]
    process = subprocess.Popen(
        [sys.executable, 'tools/test.py', *arguments('cut')], cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
    end = time.monotonic() + 100
    while not (records / 'test_000.json').exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.terminate()
    _, text = process.communicate(timeout=30)
    assert process.returncode == 75, text
    assert 'stopped by SIGTERM: finished sequences are kept; continue with --resume' in text
    assert [path.name for path in records.iterdir()] == ['test_000.json']
    assert not (tmp_path / 'cut/scores.json').exists()

    before = (records / 'test_000.json').stat().st_mtime_ns
    for more in (arguments('cut') + ['--resume'], arguments('whole')):
        command('test', *more)
    assert (records / 'test_000.json').stat().st_mtime_ns == before
    cut, whole = ({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*')
                   if path.relative_to(folder).parts[0] in ('masks', 'sequences', 'scores.json', 'scores.csv')}
                  for folder in (tmp_path / 'cut', tmp_path / 'whole'))
    assert cut == whole and len(whole) == 12 + 2 + 2
    assert not (tmp_path / 'work').exists()


def test_test_arguments_reach_the_config(command, config_file, built):
    path = config_file(**{'default_hooks.overlays': dict(type='OverlayHook')})
    command('test', path, 'some.pth', '--out', 'o', '--show-dir', 's', '--sequences', 'a', 'b', '--baselines',
            '--submission', 'coco', 'zip')
    cfg, = built
    assert cfg.load_from == 'some.pth' and not cfg.resume
    assert (cfg.test_cfg.out_dir, cfg.work_dir, cfg.default_hooks.overlays.out_dir) == ('o', 'o', 's')
    assert cfg.test_dataloader.dataset.sequences == ['a', 'b']
    assert cfg.default_hooks.baselines == dict(type='BaselineHook')
    assert cfg.default_hooks.submission == dict(type='SubmissionHook', formats=['coco', 'zip'])


@pytest.mark.parametrize('flags', [('--tta', '--crf'), ('--crf', '--tta')])
def test_flags_of_the_plus_plus(command, config_file, built, flags):
    path = config_file(crf=dict(_delete_=True, type='DenseCRF', srgb=7.0))
    command('test', path, 'some.pth', *flags)
    assert built[0].default_hooks.tta == dict(type='TTAHook')
    assert built[0].default_hooks.crf == dict(type='CRFHook', crf=dict(type='DenseCRF', srgb=7.0))
    path.write_text(path.read_text() + "\ndefault_hooks['crf'] = dict(type='CRFHook', workers=0)\n")
    command('test', path, 'some.pth', *flags)  # its own hook stays
    assert built[1].default_hooks.tta == dict(type='TTAHook')
    assert built[1].default_hooks.crf == dict(type='CRFHook', workers=0, crf=dict(type='DenseCRF', srgb=7.0))


def test_testing_before_training(refused, config_file):
    assert re.search('no checkpoint in .*train first', refused('test', config_file()))


def test_unknown_sequence(refused, config_file, tmp_path):
    said = refused('test', config_file(), tmp_path / 'any.pth', '--sequences', 'tset_000')
    assert re.search("unknown sequence 'tset_000' in split 'test'.*nearest: test_000", said)


def test_checkpoint_of_another_architecture(refused, config_file, make_model, tmp_path):
    torch.save(make_model(width=0.125).state_dict(), tmp_path / 'wider.pth')
    said = refused('test', config_file(), tmp_path / 'wider.pth')
    assert re.search(r'another architecture than the config: generator\.backbone.*Use the config', said)


@pytest.mark.slow
def test_what_a_test_says_into_a_pipe(tiny_config, tmp_path):
    """A line or two at the start, one a sequence, the table, the comparison, what was written; the rest in the log."""
    config = tmp_path / 'tiny.py'
    tiny_config(**{'log_level': 'INFO', 'default_hooks.overlays': dict(type='OverlayHook'),
                   'default_hooks.report': dict(type='ReportHook')}).dump(config)
    said = subprocess.run(
        [sys.executable, str(ROOT / 'tools/test.py'), str(config), 'none', '--baselines', '--out', 'mine'],
        cwd=tmp_path, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT))).stdout.strip()
    lines = said.splitlines()
    log, = (tmp_path / 'mine').glob('20*/*.log')
    assert lines[-2:] == ['page     mine/report.html', 'results  mine: masks, scores.json, scores.csv, overlays, '
                          f'{log.relative_to(tmp_path / "mine")}'], said
    sequences = [line for line in lines if re.match(r'\d\d:\d\d:\d\d  \[[12]/2\] test_00[01]: J ', line)]
    assert len(sequences) == 2 and all('; fine-tuned on 2 masks, 1 steps in ' in line for line in sequences), said
    assert re.search(r'^test_000 +4 +\d', said, re.MULTILINE) and re.search(r'^overall +8 ', said, re.MULTILINE)
    assert re.search(r'^\| untrained, same fine-tuning +\|', said, re.MULTILINE)
    # Of six sequences there are eight lines more: 30, so long as there is nothing to warn of.
    calm = [line for line in lines if 'warning:' not in line]
    assert len(calm) <= 22, said
    assert 'J_recall' in log.read_text() and 'Config:' in log.read_text()
    assert not (tmp_path / 'work_dirs').exists()
