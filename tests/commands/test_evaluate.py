"""tempseg-evaluate as it is called, in this process."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.visualization.exporters import write_indexed_png

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command):
    def run(*arguments):
        command('evaluate', *arguments)
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


def test_faults_end_with_a_list_and_no_result(refused, folders, tmp_path):
    (tmp_path / 'pred/a/00002.png').unlink()
    (tmp_path / 'pred/b/00003.png').unlink()
    said = refused('evaluate', *folders, '--out', tmp_path / 'results.json')
    assert re.search('(?s)2 fault.*a: mask 00002 is missing.*b: mask 00003 is missing', said)
    assert not (tmp_path / 'results.json').exists()


def write_ids(folder, masks, step=1):
    folder.mkdir(parents=True)
    for i, mask in enumerate(masks):
        write_indexed_png(folder / f'{i * step:05d}.png', mask)


def two_bars(frame, first=1, second=2):
    """Object 2 comes in frame 2."""
    mask = np.zeros((24, 40), np.uint8)
    mask[4:20, 4:12] = first
    mask[4:20, 20:30] = second * (frame >= 2)
    return mask


def test_exchanged_ids_of_objects_that_come_later_are_scored_and_told(call, tmp_path, capsys):
    def three(frame, second, third):
        mask = two_bars(frame, second=second)
        mask[4:20, 32:38] = third * (frame >= 2)
        return mask
    write_ids(tmp_path / 'gt/a', [three(i, 2, 3) for i in range(6)])
    write_ids(tmp_path / 'pred/a', [three(i, 3, 2) for i in range(6)])
    (tmp_path / 'pred/.ipynb_checkpoints/a').mkdir(parents=True)
    call('--gt', tmp_path / 'gt', '--pred', tmp_path / 'pred', '--metrics', 'J', '--out', tmp_path / 'out.json')
    content, text = json.loads((tmp_path / 'out.json').read_text()), capsys.readouterr().out
    assert {label: found['mean'] for label, found in content['sequences']['a']['J']['objects'].items()} == {
        '1': 1.0, '2': 0.0, '3': 0.0}
    assert [f'note: {notice}' in text for notice in content['notices']] == [True, True]
    assert 'ground truth <-> result 2 <-> 3' in content['notices'][1]


@pytest.mark.parametrize('options, frames', [
    ([], [1, 2, 3, 4]), (['--protocol', 'davis'], [1, 2, 3]), (['--protocol', 'annotated'], [1, 2, 3, 4])])
def test_annotations_of_some_frames(call, tmp_path, capsys, options, frames):
    write_ids(tmp_path / 'gt/a', [two_bars(0)] * 5, step=5)
    write_ids(tmp_path / 'pred/a', [two_bars(0)] * 23)
    call('--gt', tmp_path / 'gt', '--pred', tmp_path / 'pred', '--out', tmp_path / 'out.json', *options)
    content = json.loads((tmp_path / 'out.json').read_text())
    assert content['sequences']['a']['J']['frames'] == content['sequences']['a']['T']['frames'] == frames
    assert content['protocol']['frames'] == ('first left out' if len(frames) == 4 else 'first and last left out')
    assert 'has 18 prediction(s) of frames without annotation' in capsys.readouterr().out


@pytest.mark.parametrize('option, value', [('--split', 'binary'), ('--gt', 'a file')])
def test_what_is_no_list_and_no_folder_ends_with_a_sentence(refused, folders, tmp_path, option, value):
    (tmp_path / 'file').write_bytes(b'\xff\xfe\x00')
    said = refused('evaluate', *folders, option, tmp_path / 'file')
    assert re.search('error: .*file.*(no UTF-8 text|it is a file)', said)


def test_means_over_seen_and_unseen_categories(call, folders, tmp_path, capsys):
    objects = {'a': {'1': dict(category='dog')}, 'b': {'1': dict(category='unicorn')}}
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos={k: dict(objects=v) for k, v in objects.items()})))
    call(*folders, '--metrics', 'J', 'F', '--groups', tmp_path / 'meta.json', '--out', tmp_path / 'r.json')
    found = json.loads((tmp_path / 'r.json').read_text())
    means = [found['overall'][f'{measure}_{group}'] for measure in 'JF' for group in ('seen', 'unseen')]
    assert means[:2] == [found['sequences'][name]['J']['mean'] for name in 'ab']
    assert found['overall']['G'] == pytest.approx(sum(means) / 4) and 'J seen' in capsys.readouterr().out
