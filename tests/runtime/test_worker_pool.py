import functools
import operator
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from tempseg_mm.runtime.worker_pool import Job, WorkerPool, default_workers


def double(item):
    return Job(f'item {item}', operator.mul, (2, item))


@pytest.fixture
def pool(own_processes):
    with WorkerPool(2) as pool:
        yield pool
    assert not own_processes()


@pytest.mark.parametrize('workers', [0, 2])
def test_answers_in_the_order_of_the_items(workers):
    def job(item):
        return None if item % 3 == 0 else Job('', sorted, (range(10 ** 6 if item == 1 else item),))  # one takes long
    with WorkerPool(workers) as pool:
        answers = [(item, answer and len(answer)) for item, answer in pool.in_order(range(8), job)]
    assert answers == [(0, None), (1, 10 ** 6), (2, 2), (3, None), (4, 4), (5, 5), (6, None), (7, 7)]


def test_the_work_is_done_elsewhere_by_workers_that_stay(pool):
    first, second = ({answer for _, answer in pool.in_order(range(6), lambda _: Job('', os.getpid, ()))}
                     for _ in range(2))
    assert os.getpid() not in first and 1 <= len(first) <= 2
    assert first & second and len(first | second) <= 2


@pytest.mark.skipif(not hasattr(os, 'nice'), reason='a system without priorities of this kind')
def test_workers_give_way_to_their_parent(pool):
    [(_, priority)] = pool.in_order([0], lambda _: Job('', os.getpriority, (os.PRIO_PROCESS, 0)))
    assert priority > os.getpriority(os.PRIO_PROCESS, 0)


def test_no_workers_means_this_process(own_processes):
    with WorkerPool(0) as pool:
        assert [answer for _, answer in pool.in_order([0], lambda _: Job('', os.getpid, ()))] == [os.getpid()]
        assert not own_processes()


@pytest.mark.parametrize('workers, ahead, read', [(0, None, 1), (2, None, 5), (2, 1, 2), (2, 0, 1)])
def test_reads_so_far_ahead_and_no_further(workers, ahead, read):
    taken = []

    def items():
        for item in range(20):
            taken.append(item)
            yield item
    with WorkerPool(workers) as pool:
        stream = pool.in_order(items(), double, ahead=ahead)
        assert next(stream) == (0, 0) and len(taken) == read
        assert next(stream) == (1, 2) and len(taken) == read + 1
        assert [answer for _, answer in stream] == [2 * item for item in range(2, 20)]


@pytest.mark.parametrize('workers', [0, 2])
def test_an_error_in_a_job_names_it(workers, own_processes):
    pool = WorkerPool(workers)
    stream = pool.in_order([4, 0, 5], lambda item: Job(f'item {item}', operator.truediv, (8, item)))
    with pytest.raises(RuntimeError, match='(?s)item 0: .*ZeroDivisionError: division by zero'):
        list(stream)
    assert not own_processes()


def test_a_killed_worker_names_its_job_and_hangs_nothing(own_processes):
    def job(item):
        call = (signal.raise_signal, (signal.SIGKILL,)) if item == 3 else (bytes, (10 ** 6,))
        return Job(f'item {item}', *call)
    seen, begin = [], time.monotonic()
    with pytest.raises(RuntimeError, match='item 3: its worker process died with exit code -9'):
        for item, _ in WorkerPool(2).in_order(range(50), job):
            seen.append(item)
    assert seen == [0, 1, 2] and time.monotonic() - begin < 20
    assert not own_processes()


def test_workers_killed_from_outside_while_they_work(pool, own_processes):
    stream = pool.in_order(range(9), lambda item: Job(f'item {item}', time.sleep, (60 * (item > 0),)))
    next(stream)
    for worker in own_processes():
        worker.kill()
    with pytest.raises(RuntimeError, match='item 1: its worker process died'):
        next(stream)


def test_an_idle_worker_that_is_killed_ends_in_an_error_that_names_a_job(pool, own_processes):
    list(pool.in_order(range(8), double))
    victim = own_processes()[0]
    victim.kill()
    while victim.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    with pytest.raises(RuntimeError, match=r'item \d+: its worker process died with exit code -9'):
        list(pool.in_order(range(2000), double))
    assert [answer for _, answer in pool.in_order(range(3), double)] == [0, 2, 4]  # works again


def test_an_answer_that_cannot_be_read_is_an_error_and_hangs_nothing(pool):
    answer = functools.partial(subprocess.CalledProcessError, returncode=1, cmd='x')  # pickles, and does not come back
    with pytest.raises(TypeError, match='returncode'):
        list(pool.in_order(range(3), lambda _: Job('', answer, ())))


def test_errors_of_the_items_and_of_the_reader_close_the_pool(pool, own_processes):
    def items():
        yield 1
        raise KeyError('the network')
    with pytest.raises(KeyError, match='the network'):
        list(pool.in_order(items(), double))
    assert not own_processes()
    stream = pool.in_order(range(9), double)  # works again
    assert next(stream) == (0, 0) and own_processes()
    stream.close()
    assert not own_processes()


def test_closing_does_not_wait_for_long_work(pool):
    stream = pool.in_order(range(9), lambda item: Job('', time.sleep, (60 * (item > 0),)))
    next(stream)
    begin = time.monotonic()
    stream.close()
    assert time.monotonic() - begin < 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('worker_pool')]


def test_large_messages_go_both_ways(pool):
    large = bytes(3 * 10 ** 6)
    answers = pool.in_order(range(6), lambda item: Job('', operator.add, (large, bytes([item]))))
    assert [(len(answer), answer[-1]) for _, answer in answers] == [(len(large) + 1, item) for item in range(6)]


def test_what_does_not_pickle_is_an_error_too(pool):
    with pytest.raises(Exception, match='pickle'):
        list(pool.in_order([0], lambda item: Job('', lambda: 0, ())))


def test_a_program_without_a_guard_has_workers_too(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text("""print('begin')
import operator
from tempseg_mm.runtime.worker_pool import Job, WorkerPool
with WorkerPool(2) as pool:
    print([answer for _, answer in pool.in_order(range(3), lambda item: Job('', operator.neg, (item,)))])
""")
    said = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == 'begin\n[0, -1, -2]\n'


def test_what_a_job_prints_is_no_answer(capfd, pool):
    answers = pool.in_order(range(2), lambda item: Job('', print, (f'job {item}',)))
    assert [answer for _, answer in answers] == [None, None]
    said = capfd.readouterr()
    assert not said.out and sorted(said.err.split('\n')) == ['', 'job 0', 'job 1']


def test_a_function_of_the_program_itself_is_an_error_that_says_so(pool, monkeypatch):
    monkeypatch.setattr(double, '__module__', '__main__')
    monkeypatch.setattr(sys.modules['__main__'], 'double', double, raising=False)
    with pytest.raises(RuntimeError, match="(?s)item 3: .*attribute 'double' on <module '__main__'"):
        list(pool.in_order([3], lambda item: Job(f'item {item}', double, (item,))))


def test_number_of_workers():
    assert 1 <= default_workers() <= 4 and WorkerPool().workers == default_workers()
    assert default_workers(busy=1) <= default_workers() and default_workers(busy=10 ** 6) == 1
    with pytest.raises(ValueError, match='workers must be at least 0, got -1'):
        WorkerPool(-1)
