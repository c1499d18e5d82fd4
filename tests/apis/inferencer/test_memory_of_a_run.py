"""Peak memory of a whole call, from a file, with all that is written: the same for a short and for a long sequence."""

import tracemalloc

import cv2
import numpy as np
import pytest
from eager_adaptation import adapting

from tempseg_mm.apis.inferencer import VOSInferencer

SIZE = (96, 128)


WINDOW = dict(type='ObjectWindow', size=(32, 48))
FINETUNE = dict(type='OnlineFinetuneHook', finetuner=dict(
    type='OnlineFinetuner', steps=1, augment=[dict(type='ClipObjectWindow', window=WINDOW)]))


@pytest.fixture(params=[(None, []), (WINDOW, []), (WINDOW, [FINETUNE, adapting(interval=4, steps=1)])],
                ids=['whole frames', 'windows', 'adapted on the way'])
def inferencer(model_cfg, request):
    window, hooks = request.param
    losses = dict(bce=dict(type='BCELoss', loss_weight=1.0))
    model = dict(model_cfg, window=window, adversary=None, losses=losses)
    return VOSInferencer(dict(model=model, custom_hooks=hooks), device='cpu', size=32)


def write_video(path, num_frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 12, SIZE[::-1])
    for t in range(num_frames):
        writer.write(np.full((*SIZE, 3), 40 + t % 100, np.uint8))
    writer.release()
    return path


def test_a_long_sequence_takes_what_a_short_one_does(inferencer, tmp_path, request):
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
    # A lesson kept a frame would be five times the mask; copies of the network come and go.
    assert (many - few) / 50 < (2 if 'adapted' in request.node.name else 0.75) * labels.nbytes
