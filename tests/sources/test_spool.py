import os
import threading

import numpy as np
import pytest

from tempseg_mm.sources import spool as module
from tempseg_mm.sources.spool import FrameSpool


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_frames_come_back_in_any_order(tmp_path, dtype):
    frames = [np.random.default_rng(i).uniform(0, 255, (5, 7, 3)).astype(dtype) for i in range(4)]
    with FrameSpool(tmp_path) as spool:
        assert [spool.append(frame) for frame in frames] == [0, 1, 2, 3] and len(spool) == 4
        for i in (3, 0, 2, 2, 1):
            np.testing.assert_array_equal(spool.read(i), frames[i])
        spool.read(0)[:] = 0
        np.testing.assert_array_equal(spool.read(0), frames[0])  # what is read is a copy
        spool.append(frames[0][:, ::-1])  # not contiguous
        np.testing.assert_array_equal(spool.read(4), frames[0][:, ::-1])


def test_nothing_is_left_on_disk(tmp_path):
    spool = FrameSpool(tmp_path)
    spool.append(np.zeros((2, 2), np.uint8))
    spool.close()
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match='closed'):
        spool.read(0)


def test_wrong_use():
    with FrameSpool() as spool:
        with pytest.raises(IndexError, match='not 0'):
            spool.read(0)
        spool.append(np.zeros((2, 3), np.uint8))
        for other in (np.zeros((3, 2), np.uint8), np.zeros((2, 3), np.float32)):
            with pytest.raises(ValueError, match=r'the first was \(2, 3\) uint8, this one is'):
                spool.append(other)
        for i in (-1, 1):
            with pytest.raises(IndexError, match=f'frames 0 to 0, not {i}'):
                spool.read(i)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs /dev/full, a disk that is always full (Linux)')
def test_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(module.tempfile, 'TemporaryFile', lambda **options: open('/dev/full', 'r+b', buffering=0))
    with FrameSpool(tmp_path) as spool:
        with pytest.raises(OSError, match=rf'frame 0 cannot be stored in {tmp_path} \(No space left.*; 2.0 MB a '
                                          'frame.*TMPDIR'):
            spool.append(np.zeros((1000, 2000), np.uint8))
        assert len(spool) == 0


def test_one_thread_appends_while_another_reads():
    num_frames = 200
    with FrameSpool() as spool:
        def write():
            for i in range(num_frames):
                spool.append(np.full((40, 40), i, np.uint8))
        writer = threading.Thread(target=write)
        writer.start()
        wrong = [i for _ in range(200) if len(spool) for i in (0, len(spool) - 1) if (spool.read(i) != i).any()]
        writer.join()
        assert wrong == [] and len(spool) == num_frames and (spool.read(199) == 199).all()
