from tempseg_mm.paper_tables.rows import OWN, Row, by_reason
from tempseg_mm.paper_tables.tables import TABLES


def test_a_row_trains_for_itself_and_is_compared_with_the_full_method_unless_it_says_otherwise():
    row = Row('key', 'title', '{base}.py')
    assert (row.weights, row.against, row.overrides, row.curve) == (OWN, 'full', (), False)
    assert {row: 1}[Row('key', 'title', '{base}.py')] == 1  # bookkeeping is by row


def test_a_key_means_the_same_in_every_table():
    """It names a folder, and results may be taken from those of other tables."""
    meaning = {}
    for table, rows in TABLES.items():
        for row in rows:
            assert meaning.setdefault(row.key, row) == row, f'{row.key} of table {table}'


def test_rows_that_did_not_run_for_one_reason_are_a_line():
    rows = [Row(key, f'the {key}') for key in 'abcd']
    assert by_reason(rows, dict(d='y', c='x', a='x')) == ['the a; the c: x', 'the d: y']
