import pickle

import cv2
import numpy as np
import pytest
import torch

from tempseg_mm.flow.untrained import DISFlow
from tempseg_mm.registry import TASK_UTILS


def texture(height, width, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)


def pair(height, width, shift):
    """A frame and the same texture ``shift`` = (x, y) pixels further; (1, 3, H, W) each."""
    big = texture(height + 32, width + 32)
    first = big[16:16 + height, 16:16 + width]
    after = big[16 - shift[1]:16 - shift[1] + height, 16 - shift[0]:16 - shift[0] + width]
    return tuple(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] for image in (first, after))


@pytest.mark.parametrize('preset', ['ultrafast', 'fast', 'medium'])
def test_finds_a_translation_forward_x_then_y(preset):
    flow = DISFlow(preset)(*pair(97, 131, (3, -2)))
    assert flow.shape == (1, 2, 97, 131) and flow.dtype == torch.float32
    inner = flow[0, :, 16:-16, 16:-16].reshape(2, -1).median(dim=1).values
    torch.testing.assert_close(inner, torch.tensor([3.0, -2.0]), atol=0.3, rtol=0)


def test_uint8_and_float_frames_agree():
    first, after = (frames.round() for frames in pair(64, 64, (2, 1)))
    torch.testing.assert_close(DISFlow()(first, after), DISFlow()(first.byte(), after.byte()), atol=0, rtol=0)


def test_each_pair_of_a_batch_is_its_own():
    one, two = pair(48, 64, (2, 0)), pair(48, 64, (0, -3))
    batch = DISFlow()(torch.cat([one[0], two[0]]), torch.cat([one[1], two[1]]))
    torch.testing.assert_close(batch[:1], DISFlow()(*one), atol=0, rtol=0)
    torch.testing.assert_close(batch[1:], DISFlow()(*two), atol=0, rtol=0)


@pytest.mark.parametrize('size', [(1, 1), (5, 40), (40, 5), (12, 12), (31, 33)])
def test_small_frames(size):
    frames = torch.randint(0, 255, (1, 3, *size), dtype=torch.uint8)
    flow = DISFlow('fast')(frames, frames)
    assert flow.shape == (1, 2, *size) and torch.isfinite(flow).all()


def test_pickles_after_use():
    provider, frames = DISFlow('fast'), pair(48, 48, (1, 0))
    before = provider(*frames)
    copy = pickle.loads(pickle.dumps(provider))
    torch.testing.assert_close(copy(*frames), before, atol=0, rtol=0)


def test_signature_and_unknown_preset():
    assert TASK_UTILS.build(dict(type='DISFlow', preset='fast')).signature == 'DISFlow(preset=fast)'
    with pytest.raises(ValueError, match="one of ultrafast, fast, medium, got 'slow'"):
        DISFlow('slow')


def test_zero_flow():
    flow = TASK_UTILS.build(dict(type='ZeroFlow'))
    assert flow.signature == 'ZeroFlow()'
    frames = torch.randint(0, 255, (2, 3, 6, 7), dtype=torch.uint8)
    out = flow(frames, frames.flip(0))
    assert out.shape == (2, 2, 6, 7) and out.dtype == torch.float32 and not out.any()
