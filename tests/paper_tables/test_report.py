import csv
import dataclasses

import pytest

from tempseg_mm.paper_tables.report import write_report
from tempseg_mm.paper_tables.rows import Row


class Results:
    """What a table knows, without running anything."""
    rows = (
        Row('worse', 'worse', '', 76.8),
        Row('full', 'Full', '', 85.1),
        Row('absent', 'absent', '', needs=(('SOME_ROOT', 'a folder'),)),
    )
    seeds = (0, 1)

    def __init__(self, j, **more):
        self.j, self.more, self.reasons = j, more, {}

    def result(self, row, seed):
        if (row.key, seed) not in self.j:
            return None
        scores = dict(J=dict(mean=self.j[row.key, seed]), F=dict(mean=0.5), **self.more)
        return dict(scores=scores, seconds=30.0, train_seconds=90.0, finetune_seconds=12.25, commit='abc1234')


def cells(text, variant):
    line, = [line for line in text.splitlines() if line.startswith(f'| {variant} ')]
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_means_spread_and_differences_seed_by_seed(tmp_path):
    # J: worse 60, 64; full 70, 72. Differences: -10, -8: mean -9, standard deviation sqrt(2).
    table = Results({('worse', 0): 0.60, ('worse', 1): 0.64, ('full', 0): 0.70, ('full', 1): 0.72}, T=dict(mean=0.2))
    text = write_report(table, tmp_path / 'table.md', title='A title')
    assert text.startswith('A title\n\n| variant')
    assert cells(text, 'worse') == ['worse', '62.0 ± 2.8', '50.0 ± 0.0', '20.0 ± 0.0', '-9.0 ± 1.4', '76.8',
                                    '-8.3', '1.5 min', '12.2 s', '0.5 min', '0 1', 'abc1234']
    assert cells(text, 'Full') == ['Full', '71.0 ± 1.4', '50.0 ± 0.0', '20.0 ± 0.0', '', '85.1', '', '1.5 min',
                                   '12.2 s', '0.5 min', '0 1', 'abc1234']
    assert (tmp_path / 'table.md').read_text(encoding='utf-8') == text


def test_one_seed_has_no_spread_and_no_partner_no_difference(tmp_path):
    text = write_report(Results({('worse', 1): 0.5}), tmp_path / 'table.md', title='t')
    assert cells(text, 'worse')[1:6] == ['50.0', '50.0', '', '', '76.8'] and cells(text, 'worse')[-2] == '1'


def test_what_did_not_run_says_so_and_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delenv('SOME_ROOT', raising=False)
    table = Results({})
    text = write_report(table, tmp_path / 'table.md', title='t')
    assert cells(text, 'Full')[1] == cells(text, 'absent')[1] == 'not run'
    assert text.endswith('absent: set SOME_ROOT (a folder)\n')
    table.reasons = dict(worse='no data', full='no data')
    text = write_report(table, tmp_path / 'table.md', title='t')
    assert text.endswith('worse; Full: no data\nabsent: set SOME_ROOT (a folder)\n')


def test_csv_has_a_line_for_each_seed(tmp_path):
    write_report(Results({('full', 0): 0.123456, ('full', 1): 0.7}), tmp_path / 'table.md', title='t')
    with open(tmp_path / 'table.csv', encoding='utf-8', newline='') as lines:
        header, *rows = csv.reader(lines)
    assert header[:5] == ['row', 'variant', 'seed', 'J', 'F']
    assert rows[0] == ['full', 'Full', '0', '0.123456', '0.5', '', '85.1', '90.0', '12.25', '30.0', 'abc1234']
    assert [row[2] for row in rows] == ['0', '1']


@pytest.mark.parametrize('paper, shown', [(None, ''), (85.1, '85.1')])
def test_rows_that_the_paper_does_not_have(tmp_path, paper, shown):
    table = Results({('full', 0): 0.5})
    table.rows = (Row('full', 'Full', '', paper),)
    assert cells(write_report(table, tmp_path / 'table.md', title='t'), 'Full')[5] == shown


def test_a_measure_without_any_value_is_left_empty(tmp_path):
    text = write_report(Results({('full', 0): 0.5}, T=dict(mean=None)), tmp_path / 'table.md', title='t')
    assert cells(text, 'Full')[1:4] == ['50.0', '50.0', '']


def test_a_curve_is_drawn_where_there_is_one(tmp_path):
    table = Results({('full', 0): 0.5, ('worse', 0): 0.4})
    write_report(table, tmp_path / 'table.md', title='t')
    assert not (tmp_path / 'curve.png').exists() and (tmp_path / 'rows.png').exists()
    table.rows = tuple(dataclasses.replace(row, curve=True) for row in table.rows)
    write_report(table, tmp_path / 'table.md', title='t')
    assert (tmp_path / 'curve.png').exists()
