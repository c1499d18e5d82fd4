import numpy as np
import pytest

from tempseg_mm.sources.frame_source import FrameSource, SourceFrame


class OneFrame(FrameSource):
    is_closed = False

    def frames(self):
        yield SourceFrame(7, '00007', np.zeros((2, 3, 3), np.uint8))

    def close(self):
        self.is_closed = True


def test_a_source_is_closed_behind_the_block_also_after_an_error():
    with OneFrame() as source:
        assert [frame.file_name for frame in source.frames()] == ['00007'] and not source.is_closed
    assert source.is_closed
    with pytest.raises(KeyError), OneFrame() as source:
        raise KeyError('x')
    assert source.is_closed


def test_a_source_must_say_how_it_yields_frames():
    with pytest.raises(TypeError, match='frames'):
        FrameSource()
