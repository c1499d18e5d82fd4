"""Every command that writes, while another run holds the folder: refused by name, with the way out, nothing written."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from tempseg_mm.runtime.folder_lock import locked, locked_file

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ('segment', '{frames} --mask {mask} --out {out} --config {scratch} --device cpu',
     '{out}', locked, '--out'),
    ('train', '{config} --work-dir {out}', '{out}', locked, '--work-dir'),
    ('test', '{config} none --work-dir {out}', '{out}/test', locked, '--work-dir'),
    ('test', '{config} none --work-dir {other} --out {out}', '{out}', locked, '--out'),
    ('tune_crf', '{config} none --work-dir {other} --out {out}/crf.py', '{out}/crf.py', locked_file, '--out'),
    ('precompute_flow', '{config} --cache-dir {out} --workers 0', '{out}', locked, '--cache-dir'),
    ('eval_flow', '{config} --out {out}', '{out}', locked, '--out'),
    ('export', '{config} none --format safetensors --out {out}/g.safetensors', '{out}/g.safetensors',
     locked_file, '--out'),
    ('make_synthetic', '--out {out}/data --train-sequences 1 --test-sequences 1 --frames 2', '{out}/data', locked_file,
     '--out'),
    ('evaluate', '--gt {masks} --pred {masks} --out {out}/scores.json', '{out}/scores.json', locked_file,
     '--out'),
    ('evaluate', '--gt {masks} --pred {masks} --plots {out}', '{out}', locked, '--plots'),
    ('run_table', '1 --out {out}', '{out}', locked, '--out'),
]


@pytest.fixture
def places(tiny_config, synthetic_root, tmp_path):
    """What the command lines name."""
    tiny_config().dump(tmp_path / 'tiny.py')
    frames, masks = (Path(synthetic_root, kind, '32p') for kind in ('JPEGImages', 'Annotations'))
    return dict(out=tmp_path / 'out', other=tmp_path / 'other', config=tmp_path / 'tiny.py', masks=masks,
                frames=frames / 'test_000', mask=masks / 'test_000/00000.png',
                scratch=ROOT / 'configs/segment_video_scratch.py')


@pytest.fixture
def call(command, monkeypatch, tmp_path):
    def run(tool, *arguments):
        monkeypatch.chdir(tmp_path)
        command(tool, *arguments)
    return run


@pytest.mark.parametrize('tool, line, held, hold, option', COMMANDS, ids=[f'{c[0]}-{c[4]}' for c in COMMANDS])
def test_refused_while_another_run_writes(call, places, capsys, tool, line, held, hold, option):
    with hold(held.format(**places)):
        before = sorted(map(str, places['out'].rglob('*')))
        with pytest.raises(SystemExit) as end:
            call(tool, *(word.format(**places) for word in line.split()))
        assert sorted(map(str, places['out'].rglob('*'))) == before and not places['other'].exists()
    said = capsys.readouterr().err + str(end.value)
    assert end.value.code not in (0, None) and 'Traceback' not in said
    assert re.search(rf'{held.format(**places)} is being written by process {os.getpid()} on .* stop it, or write '
                     rf'elsewhere \(.*{option}', said.replace('\n', ' '))


def test_afterwards_nothing_is_left_of_the_lock(call, places):
    call('evaluate', '--gt', places['masks'], '--pred', places['masks'], '--metrics', 'J', '--plots',
         places['out'], '--out', places['other'] / 'scores.json')
    assert not [path for folder in ('out', 'other') for path in places[folder].rglob('.*')]
    assert Image.open(next(places['out'].glob('*.png'))).size[0] > 0
