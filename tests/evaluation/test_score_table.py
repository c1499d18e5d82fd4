import csv
import json
import math

import pytest

from tempseg_mm.evaluation.score_table import STABLE, UNSTABLE, ScoreTable, comparison_table, counts_for_stability


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
    title, header, *rows, rule, overall = table.to_text().splitlines()
    assert title == 'Scores; protocol DAVIS 2016; bound_th 0.008'
    assert header.split() == 'sequence frames J mean J recall J decay F mean F recall F decay J&F'.split()
    assert [row.split()[0] for row in rows] == ['ant', 'zebra']
    assert overall.split() == 'overall 3 0.800 0.750 0.200 0.600 0.750 0.200 0.700'.split()
    assert len({len(line) for line in (header, *rows, rule, overall)}) == 1


@pytest.fixture
def table_with_t():
    """T of breakdance, which the list of DAVIS 2016 leaves out, of camel, which counts, and of an empty sequence."""
    values = dict(breakdance=[0.5, 0.7], camel=[0.1, float('nan')], empty=[float('nan')] * 2)
    frames = [dict(frame(name, i + 1, 1, 1), T=t) for name in values for i, t in enumerate(values[name])]
    return ScoreTable.from_frames(frames, measures=('J', 'F', 'T'))


def test_t_has_a_mean_only_which_leaves_out_what_has_no_value(table_with_t):
    t = table_with_t.sequences['camel']['T']
    assert t.keys() == {'mean', 'frames', 'per_frame'} and t['mean'] == 0.1 and t['frames'] == [1, 2]


def test_t_is_averaged_over_the_official_list_and_over_all(table_with_t):
    assert table_with_t.overall['T'] == dict(mean=0.1, sequences=['camel'])
    assert table_with_t.overall['T_all'] == dict(mean=pytest.approx(0.35), sequences=['breakdance', 'camel'])
    assert table_with_t.scalars()['T_mean'] == 0.1 and table_with_t.scalars()['T_all'] == pytest.approx(0.35)
    assert table_with_t.scalars('breakdance')['T_mean'] == pytest.approx(0.6)


def test_a_row_that_does_not_count_for_t_has_it_in_the_other_column_only(table_with_t, tmp_path):
    *lines, note = table_with_t.to_text().splitlines()
    rows = {line.split()[0]: line.split()[-2:] for line in lines[2:] if not line.startswith('-')}
    assert rows == dict(breakdance=['-', '0.600'], camel=['0.100', '0.100'], empty=['-', '-'],
                        overall=['0.100', '0.350'])
    assert 'the 1 of these 2 sequences' in note
    table_with_t.to_csv(tmp_path / 'scores.csv')
    assert (tmp_path / 'scores.csv').read_text().splitlines()[3].endswith(',1.000000,,')


def test_json_has_null_for_no_value(table_with_t, tmp_path):
    table_with_t.to_json(tmp_path / 'scores.json')
    content = json.loads((tmp_path / 'scores.json').read_text(), parse_constant=pytest.fail)
    assert content['sequences']['camel']['T']['per_frame'] == [0.1, None]
    assert content['sequences']['empty']['T']['mean'] is None
    assert table_with_t.sequences['empty']['T']['mean'] is not None  # in the table it stays NaN


def test_overall_is_over_objects_where_there_are_several():
    one = dict(mean=0.9, recall=1.0, decay=0.0, frames=[1], per_frame=[0.9])
    two = dict(one, objects={'1': dict(one, mean=0.3), '2': dict(one, mean=0.6)})
    assert ScoreTable(dict(a=dict(J=one), b=dict(J=two))).overall['J']['mean'] == pytest.approx(0.6)


def test_a_frame_without_a_measure_is_left_out_of_it():
    table = ScoreTable.from_frames([frame('a', 2, 1, 1), dict(sequence='a', frame_id=1, T=0.2),
                                    dict(sequence='without annotation', frame_id=1, T=0.2)], measures=('J', 'T'))
    assert list(table.sequences) == ['a']
    assert table.sequences['a']['J']['frames'] == [2] and table.sequences['a']['T']['frames'] == [1]


def test_comparison_shows_no_value_as_a_dash():
    line = comparison_table(dict(copy=dict(J_mean=0.5, T_mean=math.nan)), ('J_mean', 'T_mean')).splitlines()[2]
    assert [cell.strip() for cell in line.strip('|').split('|')] == ['copy', '0.500', '-']


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


def test_the_lists_are_those_of_davis_2016():
    assert {split: (len(STABLE[split]), len(UNSTABLE[split])) for split in STABLE} == dict(train=(17, 13), val=(10, 10))
    names = [name for lists in (STABLE, UNSTABLE) for split in lists.values() for name in split]
    assert len(set(names)) == 50


def test_only_what_the_list_leaves_out_does_not_count():
    assert counts_for_stability('blackswan') and counts_for_stability('my own sequence')
    assert not counts_for_stability('breakdance')
