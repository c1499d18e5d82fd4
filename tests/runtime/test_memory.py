import ctypes
import gc
import platform
import resource
import subprocess
import sys

import pytest

from tempseg_mm.runtime.memory import importing, keep_freed_memory

FAULTS = """
import resource
import numpy as np
from tempseg_mm.runtime.memory import keep_freed_memory
assert keep_freed_memory()
np.ones(1 << 24, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    np.ones(1 << 24, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='an allocator that has no such setting')
def test_freed_blocks_are_used_again():
    run = subprocess.run([sys.executable, '-c', FAULTS], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 0.1 * 4 * (1 << 24) // resource.getpagesize()  # without, every page of each is a fault


@pytest.mark.parametrize('error', [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(monkeypatch, error):
    def refuse(name):
        raise error
    monkeypatch.setattr(ctypes, 'CDLL', refuse)
    assert keep_freed_memory() is False


IMPORTS = """
import gc
from tempseg_mm.runtime.memory import importing
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
with importing():
    import mmengine.logging
assert not collections and gc.isenabled() and gc.get_freeze_count() > 10_000
"""


def test_modules_are_imported_without_a_collection_and_left_alone_afterwards():
    subprocess.run([sys.executable, '-c', IMPORTS], check=True)


def test_a_block_that_imports_nothing_keeps_no_garbage():
    before = gc.get_freeze_count()
    with pytest.raises(ZeroDivisionError), importing():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled() and gc.get_freeze_count() == before


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
