"""Rows that there are not, and a table that is printed."""

import pytest


def test_a_row_that_a_table_does_not_have(refused):
    said = refused('run_table', '1', '--rows', 'full', 'fulll')
    assert 'table 1 of preset synthetic has no row fulll; it has: no_finetuning, no_davis_training' in said


def test_a_preset_that_a_table_does_not_have(refused):
    assert 'table parts has no rows for the preset synthetic: use --preset davis' in refused('run_table', 'parts')


def test_a_table_is_run_and_printed(command, capsys, tmp_path, monkeypatch):
    from tempseg_mm.paper_tables import run
    monkeypatch.setattr(run.TableRun, 'run', lambda self, **_: [f'{self.seeds} {self.jobs} went wrong'])
    with pytest.raises(SystemExit) as end:
        command('run_table', '1', '--seeds', '3', '4', '--jobs', '2', '--out', str(tmp_path / 'out'))
    said = capsys.readouterr()
    assert end.value.code == 1 and '[3, 4] 2 went wrong' in said.err and 'Table 1, synthetic preset' in said.out
    assert (tmp_path / 'out/table.md').exists() and (tmp_path / 'out/table.csv').exists()
