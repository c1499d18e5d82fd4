import pytest

from tempseg_mm.runtime import progress as progress_module
from tempseg_mm.runtime.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: now[0])
    return now


def test_a_line_when_the_interval_is_over_and_not_before(clock):
    lines = []
    progress = Progress(4, lines.append, unit='frames', interval=10)
    clock[0] += 9
    progress.step('first')
    assert lines == []
    clock[0] += 11
    progress.step('second')
    assert lines == ['second  (0.1 frames/s, eta 0:00:20)']  # 2 of 4 in 20 s


def test_no_time_is_promised_from_the_first_steps_of_many(clock):
    lines = []
    progress = Progress(100, lines.append, unit='frames', interval=0)
    clock[0] += 10
    for _ in range(5):
        progress.step('x')
    assert [line.split('eta ')[1] for line in lines] == ['unknown)'] * 4 + ['0:03:10)']


def test_a_report_is_a_line_at_once_and_starts_the_interval_anew(clock):
    lines = []
    progress = Progress(2, lines.append, unit='steps', interval=10)
    clock[0] += 8
    progress.report('so far')
    clock[0] += 8
    progress.step('a step')
    assert lines == ['so far  (0 steps/min, eta unknown)']
