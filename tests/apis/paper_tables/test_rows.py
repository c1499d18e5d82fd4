from pathlib import Path

import pytest

from tempseg_mm.apis.paper_tables.rows import NONE, OWN, PRESETS, TABLES

ROOT = Path(__file__).resolve().parents[3]
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]


@pytest.mark.parametrize('preset', PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize('table, row', ROWS, ids=[f'{table}-{row.key}' for table, row in ROWS])
def test_every_row_has_its_config(table, row, preset):
    assert (ROOT / 'configs' / row.config.format(**vars(preset))).is_file()
    assert (ROOT / 'configs' / f'{getattr(preset, row.base)}.py').is_file()


@pytest.mark.parametrize('table', TABLES)
def test_rows_refer_to_rows_of_their_table(table):
    keys = [row.key for row in TABLES[table]]
    assert len(set(keys)) == len(keys)
    assert {row.against for row in TABLES[table]} <= set(keys)
    trained = {row.key for row in TABLES[table] if row.weights == OWN}
    assert {row.weights for row in TABLES[table]} - {OWN, NONE} <= trained


def test_the_papers_values_of_table_1():
    assert [row.paper for row in TABLES['1'] if row.paper] == [76.8, 68.7, 79.3, 81.2, 84.6, 85.1, 86.3]
    assert [row.paper for row in TABLES['2']] == [85.1, 86.3, 77.6, 78.4, 76.8, 77.9]


def test_every_ablation_is_in_a_table():
    named = {row.config for _, row in ROWS}
    assert {f'ablations/{path.name}' for path in (ROOT / 'configs/ablations').glob('*.py')} <= named
