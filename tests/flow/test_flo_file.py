import os

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
