import numpy as np
import pytest

from tempseg_mm.flow.flo_file import BrokenFlowFileError
from tempseg_mm.flow.npy_file import read_npy, write_npy


def test_round_trip_to_float16(tmp_path):
    flow = np.random.default_rng(0).uniform(-64, 64, (5, 7, 2)).astype(np.float32)
    write_npy(tmp_path / 'a/0.npy', flow)
    read = read_npy(tmp_path / 'a/0.npy')
    assert read.dtype == np.float32 and (tmp_path / 'a/0.npy').stat().st_size == 128 + 5 * 7 * 2 * 2
    assert np.abs(read - flow).max() <= 1 / 32 / 2
    assert np.array_equal(np.load(tmp_path / 'a/0.npy'), flow.astype(np.float16))


def test_too_long_for_float16(tmp_path):
    with pytest.raises(ValueError, match='flow of up to 7e.04 pixels does not fit into float16'):
        write_npy(tmp_path / '0.npy', np.full((2, 2, 2), -7e4, np.float32))
    assert not list(tmp_path.iterdir())


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.npy does not exist'):
        read_npy(tmp_path / 'gone.npy')


def test_broken_files(tmp_path):
    path = tmp_path / '0.npy'
    write_npy(path, np.zeros((4, 4, 2)))
    whole = path.read_bytes()
    for content in (b'', b'\x93NUMPY', whole[:-1], b'PIEH' + whole):
        path.write_bytes(content)
        with pytest.raises(BrokenFlowFileError, match='0.npy is not a whole .npy file'):
            read_npy(path)


@pytest.mark.parametrize('array', [np.zeros((4, 4)), np.zeros((4, 4, 3), np.float16), np.zeros((4, 4, 2), np.float32)])
def test_something_else_than_flow(tmp_path, array):
    np.save(tmp_path / '0.npy', array)
    with pytest.raises(BrokenFlowFileError, match=r'it holds .*, not \(H, W, 2\) float16'):
        read_npy(tmp_path / '0.npy')


def test_no_memory_is_taken_for_what_a_header_claims(tmp_path):
    path = tmp_path / '0.npy'
    write_npy(path, np.zeros((4, 4, 2)))
    path.write_bytes(path.read_bytes().replace(b'(4, 4, 2)', b'(9999999, 9999, 2)')[:256])
    with pytest.raises(BrokenFlowFileError, match=r'its header says \(9999999, 9999, 2\), which is 39\d+ bytes'):
        read_npy(path)


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / '0.npy'
    np.save(path, np.array([[[print, print]]], dtype=object), allow_pickle=True)
    with pytest.raises(BrokenFlowFileError, match='not a whole .npy file of flow'):
        read_npy(path)
