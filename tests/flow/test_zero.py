import torch

from tempseg_mm.registry import TASK_UTILS


def test_zero_flow():
    flow = TASK_UTILS.build(dict(type='ZeroFlow'))
    assert flow.signature == 'ZeroFlow()'
    frames = torch.randint(0, 255, (2, 3, 6, 7), dtype=torch.uint8)
    out = flow(frames, frames.flip(0))
    assert out.shape == (2, 2, 6, 7) and out.dtype == torch.float32 and not out.any()
