"""Measures what the preparation of a clip costs on one core, per transform: the training pipeline of a config, and the
one of its online fine-tuning.

    .venv/bin/python benchmarks/clips.py [--config configs/tempseg_davis_mobilenet.py] [--window 256 448]

The clips are rendered at 480×854 and stored as JPEG and PNG. ``LoadClip`` decodes them and is left out of the sum. At
the end the training pipeline is measured again with decoded files from a cache (``LoadClip(cache_dir=...)``).
Every figure is a median over clips, which differ in object, place and zoom. It counts the processor's time, so other
work on the machine disturbs it little.
"""

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads disturb timings on shared cores

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tempseg_mm.datasets.synthetic.draw import SceneParams, draw_scene
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.registry import TRANSFORMS
from tempseg_mm.runtime.memory import keep_freed_memory

SIZE = (480, 854)
SPEED = 12  # largest motion of an object, pixels per frame


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_davis_mobilenet.py', help='config of the pipelines')
    parser.add_argument('--window', type=int, nargs=2, metavar=('H', 'W'), help="default: the config's")
    parser.add_argument('--frames', type=int, default=2, help='frames per clip')
    parser.add_argument('--scenes', type=int, default=5, help='rendered scenes; clips take them in turn')
    parser.add_argument('--clips', type=int, default=80, help='clips measured')
    return parser.parse_args()


def render(folder: Path, scenes: int, frames: int) -> list[VOSSequence]:
    """Render and store the scenes, each as a sequence of the length of a clip."""
    params = SceneParams(num_frames=max(8, frames), height=SIZE[0], width=SIZE[1], max_speed=SPEED, occluders=0)
    sequences = []
    for index, seed in enumerate(np.random.SeedSequence(0).spawn(scenes)):
        scene = draw_scene(params, seed)
        paths = [(folder / f'{index}_{t}.jpg', folder / f'{index}_{t}.png') for t in range(frames)]
        for t, (frame, mask) in enumerate(paths):
            cv2.imwrite(str(frame), cv2.cvtColor(scene.image(t), cv2.COLOR_RGB2BGR))
            cv2.imwrite(str(mask), 255 * scene.mask(t))
        files = (tuple(map(str, column)) for column in zip(*paths, strict=True))
        sequences.append(VOSSequence(f'scene {index}', *files, objects='merged'))
    return sequences


def with_window(node: object, size: tuple) -> object:
    """Return a copy of a part of a config in which every ``ObjectWindow`` has windows of ``size``."""
    if isinstance(node, list):
        return [with_window(item, size) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: with_window(value, size) for key, value in node.items()}
    return dict(changed, size=tuple(size)) if node.get('type') == 'ObjectWindow' else changed


def measure(steps: list[dict], clips: Iterator[dict], count: int) -> dict[str, list[float]]:
    """Return the seconds of each transform, in order, for each of ``count`` clips."""
    transforms = [TRANSFORMS.build(step) for step in steps]
    times: dict = {step['type']: [] for step in steps}
    for index in range(count + 3):
        results = copy.copy(next(clips))
        for step, transform in zip(steps, transforms, strict=True):
            started = time.process_time()
            results = transform(results)
            if index >= 3:  # the first clips are the warm-up
                times[step['type']].append(time.process_time() - started)
    return times


def report(title: str, times: dict[str, list[float]]) -> None:
    sums = [sum(parts) for parts in zip(*(part for name, part in times.items() if name != 'LoadClip'), strict=True)]
    print(f'\n{title}')
    for name, part in times.items():
        print(f'{name:28s} {1e3 * statistics.median(part):8.2f} ms' + ('  (reading)' if name == 'LoadClip' else ''))
    print(f'{"sum without reading":28s} {1e3 * statistics.median(sums):8.2f} ms, at most {1e3 * max(sums):.2f}',
          flush=True)


def main() -> None:
    args = parse_args()
    keep_freed_memory()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    np.random.seed(0)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    data = cfg.train_dataloader.dataset
    tuning = cfg.default_hooks.get('finetune', {}).get('finetuner')
    pipelines = [data.pipeline] + ([[*tuning.augment, *tuning.pipeline]] if tuning else [])
    pipelines = [[dict(step) for step in steps] for steps in pipelines]
    if args.window:
        pipelines = [with_window(steps, args.window) for steps in pipelines]
    with tempfile.TemporaryDirectory() as folder:
        sequences = render(Path(folder), args.scenes, args.frames)
        clips = [dict(sequence=sequence, frame_ids=list(range(args.frames)), size=data.get('size'))
                 for sequence in sequences]
        report(f'training, clips of {args.frames} frames of {SIZE[0]}x{SIZE[1]}, one thread',
               measure(pipelines[0], endless(clips), args.clips))
        cached = [dict(pipelines[0][0], cache_dir=os.path.join(folder, 'decoded')), *pipelines[0][1:]]
        report('training, decoded files from a cache', measure(cached, endless(clips), args.clips))
        if tuning:
            load = TRANSFORMS.build(dict(type='LoadClip'))
            single = [load(dict(clip, frame_ids=[0])) for clip in clips]
            report('online fine-tuning, clips of one frame', measure(pipelines[1], endless(single), args.clips))


def endless(clips: list[dict]) -> Iterator[dict]:
    """Return the clips in turn, for ever."""
    while True:
        yield from clips


if __name__ == '__main__':
    main()
