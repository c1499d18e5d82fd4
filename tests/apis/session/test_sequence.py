import numpy as np

from tempseg_mm.apis.session.sequence import SessionSequence
from tempseg_mm.sources.arrays import ArraySource

FRAMES = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((2, 2, 3), np.uint8)


def test_a_part_forwards_and_backwards():
    opened = []

    def part(start, end):
        opened.append((start, end))
        return ArraySource(FRAMES, start=start, end=end)
    labels = {0: np.uint8([[1, 0]]), 4: np.uint8([[0, 2]])}
    with SessionSequence(part, lambda i: FRAMES[i], 'shot', part=(2, 5), labels={4: labels[4]}, mentioned={4: (1,)},
                         remembered=labels, hidden=(1,)) as sequence:
        assert (sequence.start, sequence.num_frames, sequence.object_ids, sequence.hidden) == (2, 3, (2,), (1,))
        assert sequence.mentioned(4) == {1, 2} and sequence.areas(2) == {4: 1} and sequence.areas(1) == {0: 1}
        assert [int(frame.image[0, 0, 0]) for frame in sequence.frames()] == [2, 3, 4] and opened == [(2, 5)]
        assert [int(sequence.earlier(i).image[0, 0, 0]) for i in (3, 2)] == [3, 2] and opened[1:] == [(2, 4)]
        assert sequence.earlier(3).file_name == '00003' and int(sequence.given_image(4)[0, 0, 0]) == 4
