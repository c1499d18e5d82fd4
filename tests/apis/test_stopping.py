import os
import signal
import threading
import time

import pytest

from tempseg_mm.apis.stopping import Stopped, stopped_by_signals


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGHUP', 'SIGUSR1'])
def test_a_signal_raises_and_open_things_are_closed(name):
    before, closed = signal.getsignal(getattr(signal, name)), []
    with pytest.raises(Stopped, match=f'stopped by {name}'):
        with stopped_by_signals():
            try:
                os.kill(os.getpid(), getattr(signal, name))
                time.sleep(5)
            finally:
                closed.append(True)
    assert closed and signal.getsignal(getattr(signal, name)) == before
    assert issubclass(Stopped, KeyboardInterrupt) and not issubclass(Stopped, Exception)


def test_what_is_ignored_stays_so(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)  # as under nohup
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_it_does_nothing():
    passed = []

    def work():
        with stopped_by_signals():
            passed.append(signal.getsignal(signal.SIGTERM))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert passed == [signal.getsignal(signal.SIGTERM)]


def test_a_forked_process_dies_of_the_signal():
    with stopped_by_signals():
        pid = os.fork()
        if pid == 0:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            finally:
                os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
