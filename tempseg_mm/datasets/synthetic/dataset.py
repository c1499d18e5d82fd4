"""The synthetic data set: random scenes with exact masks and exact flow, written once in the layout of DAVIS.

Used by the first run, the tests and ``tempseg-make-synthetic``. The module ``draw`` creates the scenes.
"""

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict

import cv2
import numpy as np
from mmengine.logging import MMLogger

from tempseg_mm.datasets.davis import DAVISDataset
from tempseg_mm.datasets.splits import Split
from tempseg_mm.datasets.vos_sequence import APART, MERGED
from tempseg_mm.flow.flo_file import write_flo
from tempseg_mm.registry import DATASETS
from tempseg_mm.runtime.closing_block import seen_from_here
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.visualization.video_writer import MP4, VideoWriter

from .draw import FRAME_RATE, SceneParams, draw_scene
from .scene import Scene

MANIFEST = 'synthetic.json'
VERSION = 1  # version of the generator; increase it if the same parameters give other pixels
NUM_SEQUENCES = dict(train=16, test=4)
LINES = 3  # lines of progress in the log of a data set that takes a minute or more


@DATASETS.register_module()
class SyntheticVOSDataset(DAVISDataset):
    """Renders its data on first use, then reads them like any data set in the layout of DAVIS.

    The middle folder is named after the height, e.g. ``128p``. Several processes may start at the same time.

    Args:
        data_root: folder to write to and read from. It must be missing or empty, or hold the same data already.
        split: a key of ``num_sequences``, the path of a list, or names of sequences.
        scene: arguments of :class:`~tempseg_mm.datasets.synthetic.draw.SceneParams`.
        seed: seed of everything random, at least 0.
        num_sequences: number of sequences in each split; by default 16 in ``train`` and 4 in ``test``.
        all_objects: also number the objects that move behind the main one, see
            :meth:`~tempseg_mm.datasets.synthetic.scene.Scene.labels`.
        objects: as in :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`. Default: ``'apart'`` with ``all_objects``,
            else ``'merged'``.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` except ``resolution``.

    Raises:
        ValueError: if ``data_root`` holds anything else, e.g. data made with other parameters.
    """

    METAINFO = dict(dataset_name='synthetic')
    LISTS = ''
    SOURCE = 'Delete the folder so that it is made again.'

    def __init__(self, data_root: str = 'data/synthetic', split: Split = 'train', *, scene: Mapping | None = None,
                 seed: int = 0, num_sequences: Mapping | None = None, all_objects: bool = False,
                 objects: str | int | None = None, **kwargs) -> None:
        params = SceneParams(**(scene or {}))
        write_davis_layout(data_root, scene=params, seed=seed, num_sequences=num_sequences,
                           all_objects=all_objects, log=MMLogger.get_current_instance().info)
        super().__init__(data_root, split, resolution=f'{params.height}p',
                         objects=objects or (APART if all_objects else MERGED), **kwargs)


def write_davis_layout(root: str, *, scene: SceneParams | None = None, seed: int = 0,
                       num_sequences: Mapping | None = None, all_objects: bool = False, videos: bool = False,
                       log: Callable[[str], None] | None = None) -> bool:
    """Write synthetic sequences as JPEGImages, Annotations, Flow and ImageSets, and ``synthetic.json`` beside them.

    The folder appears only when it is complete. Sequence ``test_003`` depends only on the seed, the position of its
    split and the number 3. Therefore splits share no object and no texture, and asking for more sequences does not
    change the first ones.

    Args:
        root: folder to create.
        scene: appearance of the sequences.
        seed: seed of everything random, at least 0.
        num_sequences: number of sequences in each split; by default 16 in ``train`` and 4 in ``test``.
        all_objects: also number the objects that move behind the main one, see
            :meth:`~tempseg_mm.datasets.synthetic.scene.Scene.labels`. Otherwise annotations hold 0 and 255.
        videos: also write each sequence as ``Videos/<resolution>/<sequence>.mp4`` (lossy).
        log: called with lines about the progress.

    Returns:
        True if anything was written, ``False`` if the same data existed already.

    Raises:
        ValueError: if ``root`` exists with other contents, or a split has no sequences.
    """
    scene, num_sequences = scene or SceneParams(), dict(NUM_SEQUENCES if num_sequences is None else num_sequences)
    if not num_sequences or min(num_sequences.values()) < 1:
        raise ValueError(f'every split needs at least one sequence, got {num_sequences}')
    manifest = dict(version=VERSION, seed=seed, num_sequences=num_sequences, scene=asdict(scene))
    manifest.update({name: True for name, asked in dict(all_objects=all_objects, videos=videos).items() if asked})
    root = os.path.abspath(root)
    if _holds(root, manifest):
        return False
    parent = os.path.dirname(root)
    os.makedirs(parent, exist_ok=True)
    temporary = tempfile.mkdtemp(dir=parent, prefix=f'.{os.path.basename(root)}-')
    try:
        log = log or (lambda line: None)
        log(f'rendering {sum(num_sequences.values())} sequences of {scene.num_frames} frames to {seen_from_here(root)}')
        _write_all(temporary, manifest, scene, log)
        os.chmod(temporary, 0o755)  # mkdtemp creates folders that only their owner may enter
        return _publish(temporary, root, manifest)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _holds(root: str, manifest: dict) -> bool:
    """Return True if ``root`` holds exactly these data. Raise ValueError if it holds anything else."""
    if not os.path.exists(root) or os.path.isdir(root) and not os.listdir(root):
        return False
    path = os.path.join(root, MANIFEST)
    if not os.path.isfile(path):
        raise ValueError(f'{root} exists but holds no {MANIFEST}, so it is no synthetic data set and is left alone; '
                         'choose another data_root')
    try:
        with open(path, encoding='utf-8') as file:
            found = json.load(file)
        changed = sorted(key for key in {*manifest, *found} if found.get(key) != manifest.get(key))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f'{path} is no manifest of synthetic data ({error}); delete {root} so that it is made again'
                         ) from error
    if found != manifest:
        raise ValueError(f'{root} holds synthetic data made with another {", ".join(changed)}; choose another '
                         'data_root or delete that folder')
    return True


def _publish(temporary: str, root: str, manifest: dict) -> bool:
    """Move the finished folder into place. Return False if another process has already put the same data there."""
    try:
        os.rename(temporary, root)
    except OSError:
        if _holds(root, manifest):
            return False
        raise
    return True


def _write_all(root: str, manifest: dict, params: SceneParams, log: Callable[[str], None]) -> None:
    counts, resolution = manifest['num_sequences'], f'{params.height}p'
    num_sequences, done = sum(counts.values()), itertools.count(1)
    progress = Progress(num_sequences * params.num_frames, log, unit='frames', lines=LINES, steady=True)
    lists = os.path.join(root, 'ImageSets', resolution)
    os.makedirs(lists)
    for split_index, (split, count) in enumerate(counts.items()):
        names = [f'{split}_{index:03d}' for index in range(count)]
        for index, name in enumerate(names):
            number = next(done)
            scene = draw_scene(params, np.random.SeedSequence([manifest['seed'], split_index, index]))
            folders = {kind: os.path.join(root, kind, resolution, name)
                       for kind in ('JPEGImages', 'Annotations', 'Flow')}
            for folder in folders.values():
                os.makedirs(folder)
            for t in range(params.num_frames):
                _write_frame(scene, t, folders, last=t == params.num_frames - 1,
                             all_objects='all_objects' in manifest)
                progress.step(f'rendering: sequence {number} of {num_sequences}')
            if 'videos' in manifest:
                with VideoWriter(os.path.join(root, 'Videos', resolution, f'{name}.mp4'), MP4, FRAME_RATE) as video:
                    for t in range(params.num_frames):
                        video.write(scene.image(t))
        with open(os.path.join(lists, f'{split}.txt'), 'w', encoding='utf-8') as file:
            file.writelines(f'{name}\n' for name in names)
    with open(os.path.join(root, MANIFEST), 'w', encoding='utf-8') as file:
        json.dump(manifest, file, indent=2)


def _write_frame(scene: Scene, t: int, folders: dict, *, last: bool, all_objects: bool) -> None:
    image = cv2.cvtColor(scene.image(t), cv2.COLOR_RGB2BGR)
    _write_image(os.path.join(folders['JPEGImages'], f'{t:05d}.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    _write_image(os.path.join(folders['Annotations'], f'{t:05d}.png'),
                 scene.labels(t) if all_objects else scene.mask(t) * 255, [])
    if not last:
        write_flo(os.path.join(folders['Flow'], f'{t:05d}.flo'), scene.flow(t))


def _write_image(path: str, image: np.ndarray, options: list) -> None:
    if not cv2.imwrite(path, image, options):
        raise OSError(f'{path} could not be written; is the disk full?')
