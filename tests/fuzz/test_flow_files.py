"""Damaged flow files: flow of the size that the header says, or an error that names the file."""

import struct
import tracemalloc

import numpy as np
import pytest
from fuzz.damage import NUMBERS, budget, damaged
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tempseg_mm.flow.flo_file import BrokenFlowFileError, read_flo, write_flo
from tempseg_mm.flow.npy_file import read_npy, write_npy

FLOW = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
FLO = struct.pack('<4sii', b'PIEH', 7, 5) + FLOW.tobytes()
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(2))
MOST_MEMORY = 2 ** 20
HEADERS = ["{'descr': '<f2', 'fortran_order': False, 'shape': (5, 7, 2), }", "{'descr': '|O', 'shape': (1, 1, 2)}",
           "{'descr': '<f2', 'fortran_order': True, 'shape': (-1, 7, 2)}", '(' * 200, "{'shape': 5L}", '-' * 9000]


def npy(header):
    text = header.encode('latin1').ljust(118) + b'\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(text)) + text + FLOW.astype(np.float16).tobytes()


def require_flow_or_refusal(read, path):
    tracemalloc.start()
    try:
        flow = read(path)
    except BrokenFlowFileError as error:
        assert str(path) in str(error)
    else:
        assert flow.dtype == np.float32 and flow.ndim == 3 and flow.shape[2] == 2
        assert flow.size * 2 < path.stat().st_size
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MEMORY


@budget(200)
@given(content=st.one_of(damaged([FLO]), st.binary(max_size=40)))
def test_flo(tmp_path, content):
    path = tmp_path / 'a.flo'
    path.write_bytes(content)
    require_flow_or_refusal(read_flo, path)


@pytest.mark.parametrize('width', NUMBERS)
@pytest.mark.parametrize('height', NUMBERS)
def test_sizes_that_are_not_those_of_the_file(tmp_path, width, height):
    path = tmp_path / 'a.flo'
    path.write_bytes(struct.pack('<4sII', b'PIEH', width, height) + FLOW.tobytes())
    with pytest.raises(BrokenFlowFileError):
        require_flow_or_refusal(read_flo, path) or read_flo(path)


@pytest.mark.filterwarnings('ignore:Reading `.npy`')
@budget(200)
@given(content=st.one_of(damaged([npy(HEADERS[0])]), st.sampled_from(HEADERS).map(npy),
                         st.text(max_size=60).map(lambda text: npy(text.encode().decode('latin1')))))
def test_npy(tmp_path, content):
    path = tmp_path / 'a.npy'
    path.write_bytes(content)
    require_flow_or_refusal(read_npy, path)


def test_the_whole_file_is_read(tmp_path):
    """Else the tests above would pass with a reader that refuses everything."""
    (tmp_path / 'a.flo').write_bytes(FLO)
    np.testing.assert_array_equal(read_flo(tmp_path / 'a.flo'), FLOW)
    (tmp_path / 'a.npy').write_bytes(npy(HEADERS[0]))
    np.testing.assert_array_equal(read_npy(tmp_path / 'a.npy'), FLOW.astype(np.float16))


@budget(60)
@given(flow=arrays(np.float32, SHAPES))
def test_flo_is_read_as_it_was_written(tmp_path, flow):
    write_flo(tmp_path / 'a.flo', flow)
    np.testing.assert_array_equal(read_flo(tmp_path / 'a.flo'), flow)


@budget(60)
@given(flow=arrays(np.float16, SHAPES, elements=st.floats(-60000, 60000, width=16)))
def test_npy_is_read_as_it_was_written(tmp_path, flow):
    write_npy(tmp_path / 'a.npy', flow.astype(np.float32))
    np.testing.assert_array_equal(read_npy(tmp_path / 'a.npy'), flow.astype(np.float32))
