"""A page of a tiny network on six small frames, served in this process."""

import numpy as np
import pytest
from annotator.small_page import NUM_FRAMES, SIZE, Client, disk
from PIL import Image

from tempseg_mm.annotator import PageServer, Workspace
from tempseg_mm.apis.inferencer.loading import find_config, load_segmenter
from tempseg_mm.apis.session.session import Session


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """Folder of six frames of a bright square on a dark, noisy ground."""
    folder, noise = tmp_path_factory.mktemp('frames'), np.random.default_rng(0)
    for i in range(NUM_FRAMES):
        frame = 50 + 150 * disk(i)[..., None] * np.array([1, 0.6, 0.2]) + noise.normal(0, 6, (*SIZE, 3))
        Image.fromarray(frame.clip(0, 255).astype(np.uint8)).save(folder / f'{i:05d}.png')
    return folder


@pytest.fixture(scope='module')
def loaded():
    """A network a sixteenth as wide, with one step of fine-tuning."""
    cfg = find_config('configs/segment_video_scratch.py', {'model.width': 0.0625})
    return load_segmenter(cfg, 'none', 'cpu', steps=1, size=32)


@pytest.fixture(scope='module')
def session(loaded, frames, tmp_path_factory):
    with Session.open(loaded, str(frames), tmp_path_factory.mktemp('session') / 'out') as session:
        yield session


@pytest.fixture(scope='module')
def workspace(session):
    with Workspace(session, str, dict(device='cpu', steps=1)) as workspace:
        yield workspace


@pytest.fixture(scope='module')
def client(workspace):
    with PageServer(workspace).in_background() as address:
        yield Client(address)
