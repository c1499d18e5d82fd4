import csv
import json

import pytest

from tempseg_mm.evaluation.score_table import ScoreTable, comparison_table


def frame(sequence, frame_id, j, f):
    return dict(sequence=sequence, frame_id=frame_id, J=j, F=f)


@pytest.fixture
def table():
    frames = [frame('zebra', 2, 0.4, 0.2), frame('ant', 1, 1.0, 0.8), frame('zebra', 1, 0.8, 0.6)]
    return ScoreTable.from_frames(frames, protocol=dict(protocol='DAVIS 2016', bound_th=0.008))


def test_a_sequence_by_hand(table):
    j = table.sequences['zebra']['J']
    assert j['frames'] == [1, 2]  # in order, whatever the order they came in
    assert j['per_frame'] == [0.8, 0.4]
    assert (j['mean'], j['recall'], j['decay']) == pytest.approx((0.6, 0.5, 0.4))


def test_overall_weighs_sequences_not_frames(table):
    assert table.overall['J']['mean'] == pytest.approx((0.6 + 1.0) / 2)
    assert table.overall['F'] == pytest.approx(dict(mean=0.6, recall=0.75, decay=0.2))


def test_scalars_by_hand(table):
    assert table.scalars() == pytest.approx({
        'J_mean': 0.8, 'J_recall': 0.75, 'J_decay': 0.2, 'F_mean': 0.6, 'F_recall': 0.75, 'F_decay': 0.2, 'J&F': 0.7})
    assert table.scalars('ant')['J&F'] == pytest.approx(0.9)


def test_scalars_of_an_unknown_sequence(table):
    with pytest.raises(KeyError, match="no scores of sequence 'bee'; the table has: ant, zebra"):
        table.scalars('bee')


def test_a_frame_that_comes_twice_counts_once():
    once = ScoreTable.from_frames([frame('a', 1, 0.2, 0.2), frame('a', 2, 0.8, 0.8)])
    twice = ScoreTable.from_frames([frame('a', 1, 0.2, 0.2), frame('a', 2, 0.8, 0.8), frame('a', 1, 0.2, 0.2)])
    assert once == twice


def test_json_holds_everything(table, tmp_path):
    table.to_json(tmp_path / 'new' / 'scores.json')
    content = json.loads((tmp_path / 'new' / 'scores.json').read_text())
    assert list(content['sequences']) == ['ant', 'zebra']
    assert content['sequences']['zebra']['F']['per_frame'] == [0.6, 0.2]
    assert content['overall']['J']['mean'] == pytest.approx(0.8)
    assert content['protocol'] == {'protocol': 'DAVIS 2016', 'bound_th': 0.008}


def test_csv_has_a_row_a_sequence_and_overall(table, tmp_path):
    table.to_csv(tmp_path / 'scores.csv')
    with open(tmp_path / 'scores.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['sequence'] for row in rows] == ['ant', 'zebra', 'overall']
    assert [row['frames'] for row in rows] == ['1', '2', '3']
    assert [row['J_mean'] for row in rows] == ['1.000000', '0.600000', '0.800000']


def test_text_is_aligned_and_ends_with_overall(table):
    title, header, rule, *rows, last_rule, overall = table.to_text().splitlines()
    assert title == 'Scores; protocol DAVIS 2016; bound_th 0.008'
    assert header.split() == 'sequence frames J mean J recall J decay F mean F recall F decay J&F'.split()
    assert [row.split()[0] for row in rows] == ['ant', 'zebra']
    assert overall.split() == 'overall 3 0.800 0.750 0.200 0.600 0.750 0.200 0.700'.split()
    assert len({len(line) for line in (header, rule, *rows, last_rule, overall)}) == 1


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(table, tmp_path, monkeypatch):
    path = tmp_path / 'scores.json'
    path.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='disk full'):
        table.to_json(path)
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_table_still_prints_and_writes(tmp_path):
    table = ScoreTable.from_frames([])
    assert table.overall == {} and table.scalars() == {}
    assert table.to_text().splitlines()[0] == 'Scores'
    table.to_csv(tmp_path / 'scores.csv')
    assert (tmp_path / 'scores.csv').read_text() == 'sequence,frames\noverall,0\n'


def test_comparison_is_a_markdown_table_in_the_given_order(table):
    lines = comparison_table({'TempSeg-GAN': table.scalars(), 'copy': table.scalars('zebra')}).splitlines()
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    assert cells[0] == ['method', 'J mean', 'F mean', 'J&F']
    assert set(lines[1]) == set('|-:')
    assert cells[2:] == [['TempSeg-GAN', '0.800', '0.600', '0.700'], ['copy', '0.600', '0.400', '0.500']]
    assert len({len(line) for line in lines}) == 1


def test_comparison_names_the_method_that_lacks_a_score():
    with pytest.raises(KeyError, match="scores of 'copy' lack F_mean, J&F; they have: J_mean"):
        comparison_table({'copy': {'J_mean': 0.5}})
