"""Peak memory of a whole call, from a file, with all that is written: the same for a short and for a long sequence."""

import tracemalloc

import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer import VOSInferencer

SIZE = (96, 128)


@pytest.fixture(params=[None, dict(type='ObjectWindow', size=(32, 48))], ids=['whole frames', 'windows'])
def inferencer(model_cfg, request):
    losses = dict(bce=dict(type='BCELoss', loss_weight=1.0))
    model = dict(model_cfg, window=request.param, adversary=None, losses=losses)
    return VOSInferencer(dict(model=model), device='cpu', size=32)


def write_video(path, num_frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 12, SIZE[::-1])
    for t in range(num_frames):
        writer.write(np.full((*SIZE, 3), 40 + t % 100, np.uint8))
    writer.release()
    return path


def test_a_long_sequence_takes_what_a_short_one_does(inferencer, tmp_path):
    """The mask is given in the middle: half of the way leads backwards. What is kept of a frame is its record, a
    kilobyte or two; a single mask kept a frame would show. Tracemalloc sees arrays and what is Python's, not tensors:
    benchmarks/inference.py compares processes.
    """
    labels = np.zeros(SIZE, np.uint8)
    labels[8:50, 8:60] = 1

    def call(num_frames):
        video = write_video(tmp_path / f'{num_frames}.mp4', num_frames)
        result = inferencer(video, {num_frames // 2: labels}, out_dir=tmp_path / str(num_frames))
        assert len(result.records) == num_frames and result.report.exists()

    def peak(num_frames):
        tracemalloc.start()
        try:
            call(num_frames)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    call(6)  # what is kept after the first call
    few, many = peak(12), peak(62)
    assert (many - few) / 50 < 0.75 * labels.nbytes
