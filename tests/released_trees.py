"""The trees that data sets unpack to, drawn small: squares of different grey that move, frames of 32x48."""

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = (32, 48)
LENGTH = 5


def frame(t, size=SIZE):
    """(H, W, 3) uint8: a dark ground, object 1 on the left, object 2 on the right, each moves down a pixel a frame."""
    pixels = np.full((*size, 3), 40, np.uint8)
    for number in (1, 2):
        pixels[ids(t, (number,), size) == number] = 90 * number
    return pixels


def ids(t, objects=(1, 2), size=SIZE):
    """(H, W) uint8 of the ids of ``objects`` in frame t."""
    labels = np.zeros(size, np.uint8)
    for number in objects:
        labels[6 + t:18 + t, 24 * number - 18:24 * number - 4] = number
    return labels


def write(path, pixels, *, palette=False):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if palette:
        image = Image.fromarray(pixels)
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
        image.save(path)
    else:
        cv2.imwrite(str(path), pixels)


def sequence(frames, masks, shown, *, step=1, length=LENGTH):
    """Frames in a folder, and palette masks in another: ``shown`` is {t: ids}."""
    for t in range(length):
        write(Path(frames) / f'{step * t:05d}.jpg', frame(t))
    for t, objects in shown.items():
        write(Path(masks) / f'{step * t:05d}.png', ids(t, objects), palette=True)


ALL = {t: (1, 2) for t in range(LENGTH)}
FIRST = {0: (1, 2)}
LATE = {t: (1, 2) if t > 1 else (1,) for t in range(LENGTH)}  # object 2 shows from frame 2


def davis2017(root, unsupervised=False):
    """bear and boat in train, cow in val, dog in test-dev with its first mask alone; of 2016 only bear, and cow."""
    splits = dict(train=('bear', 'boat'), val=('cow',), **{'test-dev': ('dog',)})
    for split, names in splits.items():
        for name in names:
            for kind in ('Annotations', *['Annotations_unsupervised'][:unsupervised]):
                sequence(root / f'JPEGImages/480p/{name}', root / f'{kind}/480p/{name}',
                         FIRST if split == 'test-dev' else ALL)
        write_list(root / f'ImageSets/2017/{split}.txt', names)
    write_list(root / 'ImageSets/2016/train.txt', ['bear'])
    write_list(root / 'ImageSets/2016/val.txt', ['cow'])
    if unsupervised:
        write_list(root / 'ImageSets/2019/test-dev.txt', ['dog'])
    return root


def davis2016(root):
    """bear in train, cow in val: one object, black and white."""
    for split, name in (('train', 'bear'), ('val', 'cow')):
        for t in range(LENGTH):
            write(root / f'JPEGImages/480p/{name}/{t:05d}.jpg', frame(t))
            write(root / f'Annotations/480p/{name}/{t:05d}.png', 255 * ids(t, (1,)))
        write_list(root / f'ImageSets/480p/{split}.txt', [
            f'/JPEGImages/480p/{name}/{t:05d}.jpg /Annotations/480p/{name}/{t:05d}.png' for t in range(LENGTH)])
    return root


def mose(root):
    """a1 and a2 in train, object 2 of a2 later; b1 in valid, first mask alone."""
    for split, name, shown in (('train', 'a1', ALL), ('train', 'a2', LATE), ('valid', 'b1', FIRST)):
        sequence(root / f'{split}/JPEGImages/{name}', root / f'{split}/Annotations/{name}', shown)
    return root


def youtube_vos(root, valid=None):
    """a1 in train. b1 in valid: object 1 from its second frame on, object 2, of an unseen category, from its fourth; of
    each the first mask, unless ``valid`` says {t: ids}. Frames are five apart; of b1 there are those between, too."""
    trees = (('train', 'a1', ALL, ('person', 'penguin')),
             ('valid', 'b1', valid or {1: (1,), 3: (2,)}, ('person', 'unicorn')))
    for split, name, shown, kinds in trees:
        sequence(root / f'{split}/JPEGImages/{name}', root / f'{split}/Annotations/{name}', shown, step=5)
        objects = {str(number): dict(category=kind, frames=[
            f'{5 * t:05d}' for t in range(min(t for t, there in shown.items() if number in there), LENGTH)])
            for number, kind in enumerate(kinds, 1)}
        (root / split / 'meta.json').write_text(json.dumps(dict(videos={name: dict(objects=objects)})))
    for number in range(5 * LENGTH - 4):
        write(root / f'valid_all_frames/JPEGImages/b1/{number:05d}.jpg', frame(number // 5))
    return root


def segtrack(root):
    """girl: one object; bmx: two, a folder each."""
    for t in range(LENGTH):
        for name in ('girl', 'bmx'):
            write(root / f'JPEGImages/{name}/{t:05d}.png', frame(t))
        write(root / f'GroundTruth/girl/{t:05d}.png', 255 * (ids(t, (1,)) > 0).astype(np.uint8))
        for number in (1, 2):
            write(root / f'GroundTruth/bmx/{number}/{t:05d}.png', 255 * (ids(t, (number,)) > 0).astype(np.uint8))
    return root


def youtube_objects(root):
    """cow-0003-001, every second frame annotated."""
    shot = root / 'cow/data/0003/shots/001'
    for t in range(LENGTH):
        write(shot / f'frame{t + 1:04d}.jpg', frame(t))
    for t in range(0, LENGTH, 2):
        write(shot / f'labels/{t + 1:05d}.jpg', 255 * ids(t, (1,)))
    return root


def youtube_objects_repacked(root):
    """cow_001, every second frame annotated."""
    for t in range(LENGTH):
        write(root / f'JPEGImages/cow_001/{t:05d}.jpg', frame(t))
    for t in range(0, LENGTH, 2):
        write(root / f'Annotations/cow_001/{t:05d}.png', 255 * ids(t, (1,)))
    return root


def write_list(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{line}\n' for line in lines))
