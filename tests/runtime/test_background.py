import threading
import time
from contextlib import closing

import pytest

from tempseg_mm.runtime.background import BackgroundWriter, StageClock, read_ahead


def test_read_ahead_keeps_the_order_and_reads_in_another_thread():
    threads = set()

    def items():
        for i in range(20):
            threads.add(threading.current_thread())
            yield i
    assert list(read_ahead(items())) == list(range(20))
    assert threading.current_thread() not in threads and len(threads) == 1


def test_read_ahead_holds_a_bounded_number():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i
    with closing(read_ahead(items(), depth=2)) as ahead:
        for i in ahead:
            time.sleep(0.002)
            assert len(made) <= i + 5  # two waiting, one in the hand, one on its way, this one
            if i == 10:
                break


def test_an_error_is_raised_where_its_item_was_due():
    def items():
        yield 1
        raise OSError('disk gone')
    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match='disk gone'):
        next(ahead)


def test_closing_early_ends_the_thread_and_closes_the_items():
    closed = []

    def items():
        try:
            yield from range(1000)
        finally:
            closed.append(True)
    ahead = read_ahead(items(), depth=1)
    next(ahead)
    ahead.close()
    assert closed == [True]
    assert not any(thread.name == 'read_ahead' for thread in threading.enumerate())


def test_writer_writes_in_order_and_is_done_at_the_end():
    written = []
    with BackgroundWriter(lambda *arguments: written.append(arguments), depth=1) as writer:
        for i in range(5):
            writer.put(i, str(i))
        writer.flush()
        assert len(written) == 5
        writer.put(5, '5')
    assert written == [(i, str(i)) for i in range(6)]


def test_an_error_of_the_writer_surfaces_and_later_calls_are_dropped():
    written = []

    def write(i):
        if i == 1:
            raise OSError('full')
        written.append(i)
    with pytest.raises(OSError, match='full'), BackgroundWriter(write) as writer:
        for i in range(3):
            writer.put(i)
        writer.flush()
    assert written == [0]
    with pytest.raises(OSError, match='full'), BackgroundWriter(write) as writer:
        writer.put(1)  # found at the end of the block only


def test_an_error_in_the_block_goes_before_that_of_the_writer():
    def write():
        raise OSError('full')
    with pytest.raises(KeyboardInterrupt), BackgroundWriter(write) as writer:
        writer.put()
        raise KeyboardInterrupt


def test_clock_adds_up_by_stage():
    clock = StageClock()
    for _ in range(2):
        with clock('sleep'):
            time.sleep(0.01)
    assert list(clock.timed(iter('ab'), 'read')) == ['a', 'b']
    assert 0.02 <= clock.seconds['sleep'] < 1 and set(clock.seconds) == {'sleep', 'read'}
