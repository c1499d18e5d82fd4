import os
import signal
import threading
import time

import pytest

from tempseg_mm.runtime import stop_signals
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, Stopped, StopSignals, stopped_by_signals

pytestmark = pytest.mark.skipif(os.name == 'nt', reason='Windows has other signals')


def send(name):
    os.kill(os.getpid(), getattr(signal, name))


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'])
def test_the_first_signal_is_remembered(capfd, name):
    with StopSignals() as signals:
        signals.listen()
        assert signals.received is None
        send(name)
        send('SIGTERM')  # as SLURM and torchrun do
        assert signals.received.name == name and not signals.stopped
    assert capfd.readouterr().err.strip() == f'{name}: the run finishes this iteration, saves and ends'


def test_a_second_ctrl_c_stops_at_once(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(stop_signals.time, 'monotonic', lambda: clock[0])
    with StopSignals() as signals:
        signals.listen()
        send('SIGINT')
        clock[0] = 0.5
        send('SIGINT')  # the same one, passed on by torchrun
        clock[0] = 1.5
        send('SIGTERM')
        with pytest.raises(KeyboardInterrupt):
            send('SIGINT')


def test_afterwards_signals_do_what_they_did():
    before = [signal.getsignal(one) for one in stop_signals.STOP_SIGNALS]
    with pytest.raises(KeyError), StopSignals() as signals:
        signals.listen()
        assert signal.getsignal(signal.SIGTERM) == signals._handle
        raise KeyError
    assert [signal.getsignal(one) for one in stop_signals.STOP_SIGNALS] == before


def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with StopSignals() as signals:
            signals.listen()
            send('SIGHUP')
            assert signals.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_gone_is_no_fault(monkeypatch):
    def gone(*_):
        raise OSError('Input/output error')
    with StopSignals() as signals:
        signals.listen()
        with monkeypatch.context() as patch:
            patch.setattr(stop_signals.os, 'write', gone)
            send('SIGHUP')
        assert signals.received == signal.SIGHUP


def test_nothing_changes_before_it_listens_or_in_another_thread():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        assert signal.getsignal(signal.SIGTERM) == before
        thread = threading.Thread(target=signals.listen)
        thread.start()
        thread.join()
        assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not hasattr(os, 'EX_TEMPFAIL'), reason='the codes of sysexits.h are of Unix')
def test_it_is_that_of_a_temporary_failure_and_of_no_signal():
    assert STOPPED_BY_SIGNAL == os.EX_TEMPFAIL
    assert STOPPED_BY_SIGNAL - 128 not in set(signal.Signals) and STOPPED_BY_SIGNAL not in (0, 1, 2)


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
