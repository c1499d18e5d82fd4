import pytest

from tempseg_mm.evaluation.markdown import markdown_table


def test_columns_are_as_wide_as_their_widest_cell():
    assert markdown_table(['method', 'J'], [['ours', '0.8'], ['a longer one', '0.25']]).splitlines() == [
        '| method       |    J |',
        '|--------------|-----:|',
        '| ours         |  0.8 |',
        '| a longer one | 0.25 |']


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError):
        markdown_table(['method', 'J'], [['ours']])
