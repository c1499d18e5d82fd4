import pytest

from tempseg_mm.runtime import progress as progress_module
from tempseg_mm.runtime.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: now[0])
    return now


def run(clock, steps, seconds, **options):
    """The lines of a run of so many steps, each of so many seconds."""
    lines = []
    progress = Progress(steps, lines.append, unit='steps', **options)
    for number in range(1, steps + 1):
        clock[0] += seconds
        progress.step(f'{number}')
    return lines


def test_a_line_when_the_interval_is_over_and_not_before(clock):
    lines = []
    progress = Progress(4, lines.append, unit='frames', interval=10)
    clock[0] += 9
    progress.step('first')
    assert lines == []
    clock[0] += 11
    progress.step('second')
    assert lines == ['second  (10 s each, eta 0:00:20)']  # 2 of 4 in 20 s


@pytest.mark.parametrize('seconds, pace', [
    (0.04, '25.0 steps/s'), (1, '1.0 steps/s'), (1.637, '1.64 s each'), (99, '99 s each'), (5400, '1:30:00 each')])
def test_the_pace_is_a_number_to_read(clock, seconds, pace):
    assert run(clock, 1, seconds, interval=0) == [f'1  ({pace}, eta 0:00:00)']


def test_no_time_is_promised_from_the_first_steps_of_many_unless_all_cost_alike(clock):
    etas = [line.split('eta ')[1] for line in run(clock, 100, 2, interval=0, lines=100)]
    assert etas[:5] == ['unknown)'] * 4 + ['0:03:10)']
    assert run(clock, 100, 2, interval=0, steady=True)[0].endswith('eta 0:03:18)')


@pytest.mark.parametrize('steps, seconds', [(450, 0.5), (450, 1.6), (10000, 0.3), (40, 30)])
def test_a_pipe_gets_some_fifteen_lines_of_a_run_of_minutes_and_a_terminal_more(clock, monkeypatch, steps, seconds):
    lines = run(clock, steps, seconds)
    assert 12 <= len(lines) <= 16
    assert int(lines[0].split()[0]) * seconds < 10 + seconds  # the first one does not wait for its share
    monkeypatch.setattr(progress_module.sys.stdout, 'isatty', lambda: True, raising=False)
    assert len(lines) < len(run(clock, steps, seconds)) <= 101


def test_a_short_run_has_lines_by_the_clock_alone(clock):
    assert len(run(clock, 1000, 0.025)) == 2  # 25 seconds


def test_work_of_days_is_not_silent_for_hours(clock):
    assert len(run(clock, 1000, 360)) == pytest.approx(100 * 3600 / 1800, abs=2)


def test_each_step_may_have_its_line(clock):
    assert len(run(clock, 40, 1, interval=0, lines=40)) == 40


def test_text_that_costs_something_is_made_for_a_line_only(clock):
    lines, asked = [], []
    progress = Progress(3, lines.append, unit='steps', interval=10)
    for seconds in (1, 10, 1):
        clock[0] += seconds
        progress.step(lambda: asked.append(1) or 'made')
    assert len(asked) == 1 and lines == ['made  (5.5 s each, eta 0:00:06)']


def test_a_report_is_a_line_at_once_and_starts_the_interval_anew(clock):
    lines = []
    progress = Progress(2, lines.append, unit='steps', interval=10)
    clock[0] += 8
    progress.report('so far')
    clock[0] += 8
    progress.step('a step')
    assert lines == ['so far']


def test_the_last_step_is_told_in_any_case(clock):
    lines = []
    progress = Progress(2, lines.append, unit='steps', interval=10)
    clock[0] += 1
    progress.step('1/2')
    clock[0] += 1
    progress.finish('2/2')
    assert lines == ['2/2  (1.0 steps/s, eta 0:00:00)']
