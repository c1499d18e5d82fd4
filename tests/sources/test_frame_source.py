import numpy as np
import pytest

from tempseg_mm.sources.frame_source import FrameSource, PartialSource, SourceFrame, require_same_size


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


class Images(PartialSource):
    """Pictures of given sizes, each filled with its number; ``is_released`` once whoever reads has stopped."""

    def __init__(self, sizes, **options):
        super().__init__('shapes', **options)
        self.sizes, self.num_made, self.is_released = sizes, 0, False

    def _images(self):
        try:
            for i in range(self.start, len(self.sizes)):
                self.num_made += 1
                yield f'{i:05d}', np.full((*self.sizes[i], 3), i, np.uint8)
        finally:
            self.is_released = True


@pytest.mark.parametrize('start, end, length, ids', [
    (0, None, 4, [0, 1, 2, 3]), (1, 3, 4, [1, 2]), (3, None, 4, [3]), (0, 1, None, [0]), (2, None, None, [2, 3])])
def test_parts(start, end, length, ids):
    source = Images([(4, 6)] * 4, start=start, end=end, length=length)
    frames = list(source.frames())
    assert [frame.frame_id for frame in frames] == ids == [frame.image[0, 0, 0] for frame in frames]
    assert [frame.file_name for frame in frames] == [f'{i:05d}' for i in ids]
    assert source.num_frames == (None if length is end is None else len(ids))
    assert source.num_made == len(ids), 'no frame is decoded that nobody asked for'
    assert list(source.notices) == [] and source.is_released


@pytest.mark.parametrize('options, words', [
    (dict(start=4, length=4), 'from frame 4 on is empty or outside of shapes; shapes has 4 frames, 0 to 3'),
    (dict(end=5, length=4), 'from frame 0 up to, not including, 5 is .*; shapes has 4 frames'),
    (dict(start=2, end=2), 'from frame 2 up to, not including, 2 is empty'),
    (dict(start=-1), 'from frame -1 on'),
    (dict(start=1, length=1), 'shapes has 1 frame, 0 to 0'),
    (dict(length=0), 'shapes has no frames'),
    (dict(fps=0), 'fps must be positive, got 0'),
    (dict(fps=float('nan')), 'fps must be positive, got nan'),
])
def test_parts_that_are_not_there(options, words):
    with pytest.raises(ValueError, match=words):
        Images([], **options)


def test_frames_of_another_size_are_refused_or_resized():
    sizes = [(4, 6), (4, 6), (8, 12)]
    with pytest.raises(ValueError, match=r'frame 2 of shapes is 8x12 \(height x width\), the first frame is 4x6; .*'
                                         r'--resize-frames'):
        list(Images(sizes).frames())
    frames = list(Images(sizes, resize_frames=True).frames())
    assert [frame.image.shape for frame in frames] == [(4, 6, 3)] * 3 and frames[2].image[0, 0, 0] == 2


def test_size_rule():
    require_same_size((4, 6), (4, 6), frame='a.png')
    with pytest.raises(ValueError, match='a.png is 6x4 .* the first frame is 4x6'):
        require_same_size((6, 4), (4, 6), frame='a.png')


def test_one_reading_or_many():
    source = Images([(4, 6)] * 2)
    assert len(list(source.frames())) == len(list(source.frames())) == 2
    source = Images([(4, 6)] * 2, rewindable=False)
    source.frames()
    with pytest.raises(RuntimeError, match='shapes can be read only once: .* FrameSpool'):
        source.frames()


def test_one_frame_is_the_one_among_all():
    assert OneFrame().frame(7).file_name == '00007'
    with pytest.raises(IndexError, match='no frame 6'):
        one = OneFrame()
        one.name = 'one'
        one.frame(6)
    source = Images([(2, 3), (4, 6), (8, 12), (4, 6)], start=1, end=3, length=4, resize_frames=True)
    frame = source.frame(2)
    assert (frame.frame_id, frame.file_name, frame.image.shape, frame.image[0, 0, 0]) == (2, '00002', (4, 6, 3), 2)
    assert source.is_released
    for outside in (0, 3):
        with pytest.raises(IndexError, match=f'shapes has frames 1 to 2, not {outside}'):
            source.frame(outside)
    with pytest.raises(ValueError, match='frame 2 of shapes is 8x12'):
        Images([(4, 6), (4, 6), (8, 12)], length=3).frame(2)
    with pytest.raises(RuntimeError, match='shapes can be read only once, so single frames cannot be chosen'):
        Images([(4, 6)], rewindable=False).frame(0)


def test_the_end_before_it_was_expected():
    source = Images([(4, 6)] * 3, end=5)
    assert len(list(source.frames())) == len(list(source.frames())) == 3
    assert list(source.notices) == ['shapes ended before frame 3; frames up to 5 were requested']
    with pytest.raises(ValueError, match='shapes ended before frame 3, the first frame that was requested'):
        list(Images([(4, 6)] * 3, start=3).frames())


def test_who_stops_early_releases_what_is_open():
    source = Images([(4, 6)] * 3)
    frames = source.frames()
    next(frames)
    assert not source.is_released
    frames.close()
    assert source.is_released
