import os
import struct
import tracemalloc

import numpy as np
import pytest

from tempseg_mm.flow.flo_file import BrokenFlowFileError, read_flo, write_flo


def test_round_trip_and_layout(tmp_path):
    flow = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    path = tmp_path / 'a' / 'b' / '00000.flo'
    write_flo(path, flow)
    np.testing.assert_array_equal(read_flo(path), flow)
    raw = path.read_bytes()  # the Middlebury format, by hand
    assert raw[:4] == b'PIEH' and np.frombuffer(raw[4:12], '<i4').tolist() == [7, 5]
    np.testing.assert_array_equal(np.frombuffer(raw[12:], '<f4').reshape(5, 7, 2), flow)
    assert os.listdir(path.parent) == ['00000.flo']


@pytest.mark.parametrize('content', [b'', b'PIEH', b'PIEH\x07\0\0\0\x05\0\0\0abcd', b'\x89PNG\r\n', b'\xff\xfe'])
def test_broken_file_is_named(tmp_path, content):
    path = tmp_path / 'broken.flo'
    path.write_bytes(content)
    with pytest.raises(BrokenFlowFileError, match='broken.flo is not a whole .flo file'):
        read_flo(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.flo does not exist'):
        read_flo(tmp_path / 'none.flo')


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'x.flo'
    write_flo(path, np.zeros((2, 2, 2)))

    def fail(flow, target):
        raise OSError('disk full')

    monkeypatch.setattr('mmcv.flowwrite', fail)
    with pytest.raises(OSError, match='disk full'):
        write_flo(path, np.ones((2, 2, 2)))
    assert os.listdir(tmp_path) == ['x.flo'] and not read_flo(path).any()


@pytest.mark.parametrize('width, height', [(30_000, 40_000), (2 ** 31 - 1, 2 ** 31 - 1), (-1, 1), (-1, -1), (0, 0)])
def test_no_memory_is_taken_for_what_a_header_claims(tmp_path, width, height):
    path = tmp_path / 'bomb.flo'
    path.write_bytes(struct.pack('<4sii', b'PIEH', width, height) + bytes(64))
    tracemalloc.start()
    with pytest.raises(BrokenFlowFileError, match=rf'bomb.flo .*its header says {height}x{width} '):
        read_flo(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e5


def test_more_bytes_than_the_header_says_are_a_fault(tmp_path):
    path = tmp_path / 'long.flo'
    write_flo(path, np.zeros((2, 3, 2)))
    path.write_bytes(path.read_bytes() + b'x')
    with pytest.raises(BrokenFlowFileError, match='which is 60 bytes; it has 61'):
        read_flo(path)
