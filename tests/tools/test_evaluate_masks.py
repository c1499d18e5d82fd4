"""tools/evaluate_masks.py as it is called, in this process."""

import csv
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['tools/evaluate_masks.py', *map(str, arguments)])
        runpy.run_path(str(ROOT / 'tools/evaluate_masks.py'))['main']()
    return run


@pytest.fixture
def folders(tmp_path):
    for kind, width in (('gt', 8), ('pred', 6)):
        for name in ('a', 'b'):
            (tmp_path / kind / name).mkdir(parents=True)
            for i in range(4):
                mask = np.zeros((12, 16), np.uint8)
                mask[2:10, 2 + i:2 + i + width] = 255
                Image.fromarray(mask).save(tmp_path / kind / name / f'{i:05d}.png')
    return ['--gt', tmp_path / 'gt', '--pred', tmp_path / 'pred']


def test_help_teaches(call, capsys):
    with pytest.raises(SystemExit) as end:
        call('--help')
    text = capsys.readouterr().out
    assert end.value.code == 0
    for words in ('examples:', '--gt', '--pred', '--split', '--metrics', '--workers', '--merge-objects', '--out',
                  '--plots', '<sequence>/*.png'):
        assert words in text


def test_table_json_csv_and_plots(call, folders, capsys, tmp_path):
    call(*folders, '--out', tmp_path / 'out/results.json', '--plots', tmp_path / 'plots')
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines() if line[:1] in 'ab' and '0.750' in line] == ['a', 'b']
    content = json.loads((tmp_path / 'out/results.json').read_text())
    assert {'mean', 'recall', 'decay', 'per_frame'} <= content['sequences']['a']['J'].keys()
    assert {'mean', 'per_frame'} <= content['sequences']['a']['T'].keys()
    assert len(content['sequences']['a']['F']['per_frame']) == len(content['sequences']['a']['T']['per_frame']) == 2
    assert content['overall']['J'] == pytest.approx(dict(mean=0.75, recall=1, decay=0))
    assert content['overall']['T'].keys() == {'mean', 'sequences'}
    with open(tmp_path / 'out/results.csv', newline='') as file:
        assert [row['sequence'] for row in csv.DictReader(file)] == ['a', 'b', 'overall']
    assert sorted(path.name for path in (tmp_path / 'plots').iterdir()) == ['a.png', 'b.png']


def test_older_results_are_never_taken(call, folders, tmp_path):
    call(*folders, '--out', tmp_path / 'results.json', '--metrics', 'J')
    for path in (tmp_path / 'pred/a').iterdir():
        Image.fromarray(np.zeros((12, 16), np.uint8)).save(path)
    call(*folders, '--out', tmp_path / 'results.json', '--metrics', 'J')
    content = json.loads((tmp_path / 'results.json').read_text())
    assert content['sequences']['a']['J']['mean'] == 0 and list(content['sequences']['a']) == ['J']


def test_faults_end_with_a_list_and_no_result(call, folders, tmp_path):
    (tmp_path / 'pred/a/00002.png').unlink()
    (tmp_path / 'pred/b/00003.png').unlink()
    with pytest.raises(SystemExit, match='(?s)2 fault.*a: mask 00002 is missing.*b: mask 00003 is missing'):
        call(*folders, '--out', tmp_path / 'results.json')
    assert not (tmp_path / 'results.json').exists()
