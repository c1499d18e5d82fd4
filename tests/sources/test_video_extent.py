from fractions import Fraction

import numpy as np

from tempseg_mm.sources.video_extent import VideoExtent, extent_of


def packets(*stamps, corrupt=()):
    """A container and its stream of such packets: (pts, dts, is a key frame)."""
    class Packet:
        size, duration, time_base, is_discard = 9, 1, Fraction(1, 10), False

        def __init__(self, i, pts, dts, is_keyframe):
            self.pts, self.dts, self.is_keyframe, self.is_corrupt = pts, dts, is_keyframe, i in corrupt

    class Stream:
        frames, duration, start_time, average_rate, time_base = 0, 0, 0, 10, Fraction(1, 10)

    class Container:
        duration, streams = None, [None]

        def demux(self, stream):
            last = Packet(-1, None, None, False)
            last.size = 0
            return [*(Packet(i, *stamp) for i, stamp in enumerate(stamps)), last]
    return Container(), Stream()


def test_stamps_in_order_and_where_decoding_can_begin():
    found = extent_of(*packets((4, -1, True), (8, 0, False), (6, 1, False), (16, 2, True), (11, None, False)))
    assert (found.num_frames, found.fault) == (5, '')
    assert found.pts.tolist() == [4, 6, 8, 11, 16] and found.keys.tolist() == [[4, -1], [16, 2]]
    np.testing.assert_allclose(found.times, [0, 0.2, 0.4, 0.7, 1.2])
    assert [found.key_before(i) for i in range(5)] == [0, 0, 0, 0, 1]


def test_stamps_that_do_not_number_the_frames_are_not_trusted():
    key, other = (0, 0, True), (1, 1, False)
    for faulty in (packets(key, (None, 1, False)), packets(key, other, (1, 2, False)), packets(key, other, corrupt=[1]),
                   packets(other)):
        found = extent_of(*faulty)
        assert found.pts is None and found.times is None and found.num_frames in (1, 2, 3)
    assert VideoExtent(3).times is None
