import csv
import importlib
import sys
from pathlib import Path

import pytest

from tempseg_mm.evaluation.functional.region import region_similarity

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def modules(monkeypatch):
    """``race`` and ``race_results`` as Python finds them when the script is run."""
    monkeypatch.syspath_prepend(str(ROOT / 'benchmarks'))
    names = ('race', 'race_results')
    yield tuple(importlib.import_module(name) for name in names)
    for name in names:
        sys.modules.pop(name)


def row(method, seconds, sequence, j, **figures):
    return dict(method=method, seconds=seconds, sequence=sequence, J=j, F=1 - j,
                **{**dict(steps=0, finetuning=0.0, total=1.0), **figures})


ROWS = [
    row('flow', 0.0, 'a', 0.25), row('copy', 0.0, 'a', 0.125),
    row('ours', 5.0, 'a', 0.75, steps=10, finetuning=5.5, total=7.5),
    row('osvos', 5.0, 'a', 0.5, steps=20, finetuning=4.5, total=6.5),
    row('flow', 0.0, 'b', 0.75), row('copy', 0.0, 'b', 0.125),
    row('ours', 5.0, 'b', 0.875, steps=12, finetuning=5.5, total=7.5),
    row('osvos', 5.0, 'b', 0.25, steps=20, finetuning=4.5, total=6.5),
]


def test_steps_end_just_after_their_seconds(modules):
    pace = modules[0].Pace(before=1.0, step=0.5)
    assert [pace.steps_in(seconds) for seconds in (0, 0.5, 1, 1.5, 1.75, 3)] == [0, 1, 1, 1, 2, 4]


def test_report_averages_over_sequences_and_compares_at_equal_time(modules):
    text = modules[1].report(ROWS, per_sequence=True)
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line[:1] == '|']
    assert ['our recipe', '5', '0.812', '0.188', '11', '5.5', '7.5'] in cells
    assert ["OSVOS's recipe", '5', '0.375', '0.625', '20', '4.5', '6.5'] in cells
    assert ['J', 'flow', 'copy', 'ours 5', 'osvos 5'] in cells
    assert ['b', '0.750', '0.125', '0.875', '0.250'] in cells
    assert '5 s: J +31.2 points against the better rival' in text  # 0.8125 - 0.5 of moving along the flow


def test_picture_and_table_are_written(modules, tmp_path):
    modules[1].draw(tmp_path / 'race.png', ROWS)
    assert (tmp_path / 'race.png').read_bytes().startswith(b'\x89PNG')
    modules[1].write_csv(tmp_path / 'race.csv', ROWS)
    with open(tmp_path / 'race.csv', encoding='utf-8') as file:
        read = list(csv.DictReader(file))
    assert read[2] == dict(method='ours', seconds='5.0', sequence='a', J='0.75', F='0.25', steps='10',
                           finetuning='5.5', total='7.5')


def test_a_race_that_was_stopped_is_resumed(modules, tiny_config, tmp_path, monkeypatch, capsys, sequence):
    race, out = modules[0], tmp_path / 'race'
    tiny_config(**{'model.data_preprocessor.flow.type': 'ZeroFlow'}).dump(tmp_path / 'config.py')
    learners = []

    class Stopping(race.Track):
        def run(self, method, seconds, sequence):
            learners.append(self.learners)
            if len(learners) == 4:
                raise KeyboardInterrupt
            return super().run(method, seconds, sequence)

    def run(*options):
        monkeypatch.setattr(sys, 'argv', ['race.py', '--config', str(tmp_path / 'config.py'), '--checkpoint', 'none',
                                          '--sequences', sequence.name, '--seconds', '0.01', '--out', str(out),
                                          *options])
        race.main()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(race, 'Track', Stopping)
        run()
    assert len(list((out / 'runs').iterdir())) == 3
    run('--resume')
    assert 'resuming after 3 runs' in capsys.readouterr().err
    with open(out / 'race.csv', encoding='utf-8') as file:
        rows = {row['method']: row for row in csv.DictReader(file)}
    assert list(rows) == ['flow', 'copy', 'ours', 'osvos']

    masks = [sequence.mask(i) for i in range(len(sequence))]  # two are given; the last frame does not count
    copied = [region_similarity(masks[min(t - 1, 1)], masks[t]) for t in range(1, len(masks) - 1)]
    assert float(rows['copy']['J']) == pytest.approx(sum(copied) / len(copied), abs=1e-6)
    assert rows['flow']['J'] == rows['copy']['J']  # nothing moves
    for method in ('ours', 'osvos'):
        assert int(rows[method]['steps']) >= 1
        assert float(rows[method]['total']) > float(rows[method]['finetuning']) > 0

    ours, rival = (learners[0][method].segmenter for method in ('ours', 'osvos'))
    assert ours.model.uses_reference and not rival.model.uses_reference
    assert list(rival.model.losses) == ['bce'] and rival.model.adversary is None
    assert rival.finetuner.optimizer == ours.finetuner.optimizer and learners[0]['osvos'].given == 1

    with pytest.raises(ValueError, match='other given'):
        run('--resume', '--rival-frames', '2')
