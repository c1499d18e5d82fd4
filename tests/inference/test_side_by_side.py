import threading

import pytest
import torch

from tempseg_mm.inference.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_calls_run_at_once_with_a_thread_of_torch_each_and_answer_in_order():
    meeting = threading.Barrier(2, timeout=30)

    def call(item):
        meeting.wait()  # raises unless the other call comes here too
        return item, torch.get_num_threads()
    with side_by_side(2) as run:
        assert run(call, 'ab') == [('a', 1), ('b', 1)]
        assert run(call, 'cd') == [('c', 1), ('d', 1)] and torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_one_is_the_thread_of_the_caller():
    with side_by_side(1) as run:
        assert run(lambda item: (item, threading.current_thread(), torch.get_num_threads()), [3, 4]) == [
            (3, threading.current_thread(), 2), (4, threading.current_thread(), 2)]


def test_errors_are_raised_and_threads_end():
    with pytest.raises(ZeroDivisionError), side_by_side(2) as run:
        run(lambda item: 1 / item, [1, 0])
    assert torch.get_num_threads() == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('side_by_side')]
