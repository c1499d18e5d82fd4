import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tempseg_mm.visualization.quiet_stderr import quiet_about


def test_lines_with_the_words_are_dropped_and_all_others_come_through(capfd):
    with quiet_about(b'needless'):
        os.write(2, b'a warning\nsomething needless here\nanother\n')
    os.write(2, b'needless, but after\n')
    assert capfd.readouterr().err == 'a warning\nanother\nneedless, but after\n'


def test_what_was_said_before_an_error_comes_through(capfd):
    with pytest.raises(KeyError), quiet_about(b'needless'):
        os.write(2, b'the reason\n')
        raise KeyError
    assert capfd.readouterr().err == 'the reason\n'


def test_without_an_error_stream_nothing_is_done():
    code = 'import os; from tempseg_mm.visualization.quiet_stderr import quiet_about; os.close(2)\n' \
           'with quiet_about(b"x"): print("inside")'
    assert subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, check=True).stdout == b'inside\n'


def test_threads_give_back_the_stream_that_was_there(capfd):
    def say(number):
        for _ in range(50):
            with quiet_about(b'needless'):
                os.write(2, b'needless\n')
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(say, range(4)))
    os.write(2, b'still here\n')
    assert capfd.readouterr().err == 'still here\n'
