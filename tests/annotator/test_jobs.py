import threading

import pytest

from tempseg_mm.annotator.jobs import BusyError, Jobs


class Heard(list):
    """In place of a hub; ``ended`` is set with the last event."""

    def __init__(self):
        self.ended = threading.Event()

    def publish(self, event):
        self.append(event)
        if event['type'] in ('done', 'stopped', 'error'):
            self.ended.set()


def run(work, tell=str):
    heard = Heard()
    jobs = Jobs(heard, tell)
    jobs.start('segment', work)
    assert heard.ended.wait(10)
    assert jobs.current is None
    return jobs, heard


def test_progress_and_the_end_are_told():
    _, heard = run(lambda on_progress: [on_progress('forwards', n, 2) for n in (1, 2)])
    *first, done = heard
    assert first == [dict(type='started', kind='segment'), dict(type='progress', stage='forwards', done=1, total=2),
                     dict(type='progress', stage='forwards', done=2, total=2)]
    assert done.pop('seconds') >= 0 and done == dict(type='done', kind='segment')


def test_what_a_user_can_mend_is_a_sentence_and_the_next_job_runs():
    def fail(on_progress):
        raise ValueError('draw the object first')
    jobs, heard = run(fail)
    assert heard[-1] == dict(type='error', kind='segment', message='draw the object first')
    heard.ended.clear()
    jobs.start('export', lambda on_progress: None)
    assert heard.ended.wait(10) and heard[-1]['type'] == 'done'


def test_a_fault_of_the_program_is_logged_with_its_traceback(monkeypatch):
    logged = []
    monkeypatch.setattr('mmengine.logging.MMLogger.error', lambda self, text, *, exc_info: logged.append(exc_info))
    _, heard = run(lambda on_progress: {}['key'], tell=lambda error: None)
    assert "KeyError: 'key'" in heard[-1]['message'] and 'fault of the program' in heard[-1]['message']
    assert isinstance(logged[0], KeyError)


def test_one_at_a_time_and_stopped_where_it_tells_how_far_it_is():
    heard, at_work, cleaned = Heard(), threading.Event(), []

    def work(on_progress):
        try:
            while True:
                on_progress('fine-tuning', 1, None)
                at_work.set()
        finally:
            cleaned.append(True)
    jobs = Jobs(heard, str)
    jobs.stop()  # nothing runs: the next job is not stopped by that
    jobs.start('segment', work)
    assert at_work.wait(10)
    for refuse in (jobs.require_idle, lambda: jobs.start('export', work)):
        with pytest.raises(BusyError, match='segment is running: wait until it ends, or stop it'):
            refuse()
    assert jobs.current == dict(kind='segment', stage='fine-tuning', done=1, total=None)
    jobs.close(10)
    assert heard[-1] == dict(type='stopped', kind='segment') and cleaned == [True]
    jobs.require_idle()
