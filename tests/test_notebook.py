"""docs/notebooks/first_steps.ipynb runs from top to bottom, as a reader runs it, and is stored with its outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / 'docs/notebooks/first_steps.ipynb'
LARGEST = 600_000  # bytes


def printed(notebook) -> str:
    """Return all that the cells printed."""
    return ''.join(output.text for cell in notebook.cells for output in cell.get('outputs', ())
                   if output.output_type == 'stream')


def pictures(notebook) -> list[str]:
    """Return the kind of each picture, in order."""
    return [kind for cell in notebook.cells for output in cell.get('outputs', ())
            for kind in output.get('data', {}) if kind.startswith('image/')]


@pytest.mark.slow
def test_it_runs_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('OMP_WAIT_POLICY', 'PASSIVE')
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    stored = nbformat.read(NOTEBOOK, as_version=4)
    fresh = nbformat.read(NOTEBOOK, as_version=4)
    for cell in fresh.cells:
        cell.pop('outputs', None)
    NotebookClient(fresh, timeout=300, kernel_name='python3', resources=dict(metadata=dict(path=tmp_path))).execute()

    said = printed(fresh)
    assert pictures(fresh) == pictures(stored)
    assert len(re.findall(r'object \d: J 0\.[5-9]\d+   F [01]\.\d+   T \d\.\d+', said)) == 2
    assert 'decoder: UpsampleDecoder' in said
    assert re.sub(r'\d+', '', said) == re.sub(r'\d+', '', printed(stored))


def test_it_is_stored_with_outputs_and_is_small():
    assert NOTEBOOK.stat().st_size < LARGEST
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert len(pictures(notebook)) >= 5 and not [output for cell in code for output in cell.outputs
                                                 if output.output_type == 'error' or output.get('name') == 'stderr']
