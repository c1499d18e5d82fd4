import numpy as np

from tempseg_mm.structures.segmented_frame import SegmentedFrame


def test_a_frame_starts_without_labels_and_is_not_given():
    frame = SegmentedFrame(7, '00007', np.zeros((2, 3, 3), np.uint8))
    assert (frame.labels, frame.probabilities, frame.masks, frame.given) == (None, None, None, False)
    assert 'masks' not in repr(frame)
