"""The hook alone; with two processes it runs in tests/runtime/test_processes.py."""

import pytest
from torch.distributed import HashStore

from tempseg_mm.engine.hooks import heartbeat_hook
from tempseg_mm.engine.hooks.heartbeat_hook import HeartbeatHook


class Quiet:
    """Stands for a Heartbeat and writes down what is done to it."""

    def __init__(self, store, **options):
        self.done = [options]

    def start(self):
        self.done.append('start')

    def stop(self):
        self.done.append('stop')


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setattr(heartbeat_hook, 'Heartbeat', Quiet)
    monkeypatch.setattr(heartbeat_hook, 'run_store', HashStore)
    return HeartbeatHook(interval=1, limit=9)


def test_one_process_needs_none(hook):
    hook.before_run(None)
    assert hook._heartbeat is None
    hook.after_run(None)


def test_it_beats_until_all_are_through(hook, monkeypatch):
    monkeypatch.setattr(heartbeat_hook, 'get_world_size', lambda: 2)
    hook.before_run(None)
    beat = hook._heartbeat
    hook.before_run(None)  # of a second run of the same Runner
    assert hook._heartbeat is beat
    monkeypatch.setattr(heartbeat_hook, 'wait_for_all', lambda: beat.done.append('all here'))
    hook.after_run(None)
    assert beat.done == [dict(interval=1, limit=9), 'start', 'all here', 'stop'] and hook._heartbeat is None


def test_the_limit_is_within_a_minute():
    hook = HeartbeatHook()
    assert hook.limit + 2 * hook.interval < 60
