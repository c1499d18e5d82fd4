import numpy as np

from tempseg_mm.structures.frame_prediction import FramePrediction


def test_mask_is_above_one_half_and_follows_a_refined_probability():
    frame = FramePrediction(sequence='bear', frame_id=0, num_frames=1, file_name='00000',
                            image=np.zeros((1, 3, 3), np.uint8), probability=np.array([[0.2, 0.5, 0.51]], np.float32))
    assert frame.mask.tolist() == [[0, 0, 1]] and frame.mask.dtype == np.uint8
    frame.probability = 1 - frame.probability
    assert frame.mask.tolist() == [[1, 0, 0]]
    assert frame.given is False and frame.gt_mask is None
