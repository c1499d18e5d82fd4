"""COCO JSON that was damaged anywhere is read or refused in words; nothing else happens."""

import copy
import json
import random

import numpy as np
import pytest

from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.given_masks import read_given_masks
from tempseg_mm.visualization.coco_writer import coco_file

SIZE = (8, 9)
POLYGON = [[1, 1, 5, 1, 5, 5]]
TRACKS = dict(
    videos=[dict(id=5, width=9, height=8, file_names=['v/00000.jpg', 'v/00001.jpg'])],
    categories=[dict(id=1, name='dog')], annotations=[dict(
        id=3, video_id=5, category_id=1, segmentations=[POLYGON, None], bboxes=[[1, 1, 4, 4], None])])
IMAGES = dict(
    images=[dict(id=1, file_name='a.png', width=9, height=8)], categories=[dict(id=1, name='dog')], annotations=[dict(
        id=1, image_id=1, category_id=1, bbox=[1, 2, 3, 4], segmentation=POLYGON, attributes=dict(track_id=1))])
ODD = [None, 0, -1, 1, 10 ** 30, 1.5, float('nan'), float('inf'), True, '', 'x', '\x1b', [], [1], [[1]], {}, [None],
       [{}], [1, 2, 3, 4], dict(size=[8, 9], counts=[72]), dict(size=[10 ** 9, 10 ** 9], counts=[10 ** 18])]


def places(content):
    """Each entry in it, as what holds it and its key."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(entries):
        yield content, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@pytest.mark.parametrize('seed', range(3))
def test_damaged_files_are_read_or_refused(tmp_path, seed):
    draw, labels = random.Random(seed), np.random.default_rng(seed).integers(0, 3, (3, *SIZE)).astype(np.uint8)
    with coco_file(tmp_path / 'own.json') as coco:
        for i, pixels in enumerate(labels):
            coco.add(f'v/{i:05d}.png', pixels, {1: 'dog'}, frame_id=i, sequence='v')
    whole, outcomes = [json.loads((tmp_path / 'own.json').read_text()), TRACKS, IMAGES], set()
    for _ in range(150):
        content = copy.deepcopy(draw.choice(whole))
        holder, key = draw.choice(list(places(content)))
        if draw.random() < 0.2:
            del holder[key]
        else:
            holder[key] = draw.choice(ODD)
        (tmp_path / 'x.json').write_text(json.dumps(content))
        try:
            given = read_given_masks(f'{tmp_path}/x.json', SIZE, names=FrameNames(num_frames=3, sequence='v'))
            outcomes.add(given[0].labels.shape)
        except ValueError as error:
            outcomes.add('refused')
            assert len(str(error)) > 20
    assert outcomes == {SIZE, 'refused'}
