"""A session over a folder of frames, on a tiny network that learns them."""

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.apis.session.session import Session

STEPS = 24
FINETUNE = dict(type='OnlineFinetuneHook', finetuner=dict(
    type='OnlineFinetuner', steps=STEPS, optimizer=dict(type='Adam', lr=0.01)))


@pytest.fixture
def shot(make_sequence, tmp_path):
    """Eight frames of 32x48 as PNG in ``shot``, and the masks of a square in them."""
    sequence = make_sequence(8)
    (tmp_path / 'shot').mkdir()
    for i, frame in enumerate(sequence.frames):
        Image.fromarray(frame).save(tmp_path / f'shot/{i:05d}.png')
    return tmp_path / 'shot', sequence.masks


@pytest.fixture
def tiny(model_cfg):
    """A ``VOSInferencer`` of few steps."""
    model = dict(model_cfg, adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    return VOSInferencer(dict(model=model, default_hooks=dict(finetune=FINETUNE)), device='cpu')


@pytest.fixture
def open_session(tiny, shot, tmp_path):
    """``open_session(out='session')``; ``with`` closes it."""
    def open_session(out='session', **part):
        return Session.open(tiny.loaded, shot[0], tmp_path / out, **part)
    return open_session


@pytest.fixture
def two(shot):
    """Labels of a frame with two objects: the square is 1, a corner 2."""
    def labels(frame_id):
        found = shot[1][frame_id].copy()
        found[2:8, 34:46] = 2
        return found
    return labels


@pytest.fixture
def masks_in():
    """``masks_in(folder)``: frame -> labels in its mask files."""
    def masks_in(folder):
        return {int(path.stem): np.asarray(Image.open(path)) for path in sorted((folder / 'masks').iterdir())}
    return masks_in
