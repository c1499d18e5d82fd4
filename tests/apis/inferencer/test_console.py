import pytest

from tempseg_mm.apis.inferencer import console
from tempseg_mm.apis.inferencer.console import shown_progress


def test_lines_where_there_is_no_terminal(monkeypatch):
    lines = []
    with shown_progress(lines.append, is_terminal=False) as on_progress:
        for step in range(1, 4):
            on_progress('fine-tuning', step, 3)
        on_progress('forwards', 1, 2)
        on_progress('forwards', 2, 2)
    assert [line.split('  (')[0] for line in lines] == ['fine-tuning: 3/3', 'forwards: 2/2']
    assert 'steps/' in lines[0] and 'frames/' in lines[1]


def test_lines_where_nobody_knows_the_length(monkeypatch):
    monkeypatch.setattr(console, 'INTERVAL', 0.0)
    lines = []
    with shown_progress(lines.append, is_terminal=False) as on_progress:
        on_progress('forwards', 1, None)
    assert lines == ['forwards: 1']


@pytest.mark.parametrize('total', [3, None])
def test_a_bar_on_a_terminal(capsys, total):
    with shown_progress(lambda text: pytest.fail(text), is_terminal=True) as on_progress:
        on_progress('fine-tuning', 1, 3)
        on_progress('forwards', 2, total)
    shown = capsys.readouterr().out
    assert 'fine-tuning' in shown and f'2/{total or "?"}' in shown
