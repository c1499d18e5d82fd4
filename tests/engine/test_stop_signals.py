import os
import signal
import threading

import pytest

from tempseg_mm.engine import stop_signals
from tempseg_mm.engine.stop_signals import StopSignals

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
    assert capfd.readouterr().err.strip() == f'{name}: after this iteration the run saves and ends'


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
