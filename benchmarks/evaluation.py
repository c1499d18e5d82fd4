"""Measures the cost of scoring masks: J and F against full-frame morphology, T per pair, one worker against two.

    .venv/bin/python benchmarks/evaluation.py                                   # masks drawn by the benchmark
    .venv/bin/python benchmarks/evaluation.py --gt data/DAVIS/Annotations/480p --sequences bear bus stroller

The baseline is J and F as the official Python code computes them, with boundary maps and dilations by a disk on whole
frames. It is timed twice: with OpenCV's dilation (the code of DAVIS 2017), and with one shift of the frame for each
pixel of the disk, which stands for the generic morphology in the code of DAVIS 2016. Predictions are the ground truth
of two frames before. All times come from one run on one core and are medians of CPU seconds, so compare the ratios.
Workers are timed by the wall clock and need two idle cores.
"""

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for name, value in dict(OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE').items():
    os.environ.setdefault(name, value)  # before NumPy and OpenCV are imported

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from tempseg_mm.evaluation.functional import (  # noqa: E402
    InstabilityChain,
    boundary_map,
    contour_accuracy,
    region_similarity,
)
from tempseg_mm.evaluation.mask_scoring import evaluate_masks  # noqa: E402
from tempseg_mm.sources.mask_files import MaskReader  # noqa: E402
from tempseg_mm.visualization.exporters import write_indexed_png  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--gt', metavar='DIR', help='folder with <sequence>/*.png; default: drawn masks')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='sequences of --gt; default: all')
    parser.add_argument('--frames', type=int, default=12, help='frames per sequence')
    parser.add_argument('--size', type=int, nargs=2, default=(480, 854), metavar=('H', 'W'),
                        help='size of drawn masks, in pixels')
    parser.add_argument('--rounds', type=int, default=3, help='measurements per median')
    parser.add_argument('--skip-workers', action='store_true', help='do not compare one worker with two')
    return parser.parse_args()


def drawn_sequence(seed: int, frames: int, height: int, width: int) -> list[np.ndarray]:
    """Draw (H, W) bool masks of a moving, deforming body with rough edges and limbs, a quarter of the frame wide."""
    rng = np.random.default_rng(seed)
    noise = [cv2.resize(rng.normal(size=(36, 64)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
             for _ in range(2)]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    masks = []
    for t in range(frames):
        cx, cy = width * (0.35 + 0.02 * t), height * (0.5 + 0.05 * math.sin(t))
        angle, radius = np.arctan2(y - cy, x - cx), np.hypot(x - cx, y - cy) / height
        limbs = 0.25 * (1 + 0.25 * np.sin(5 * angle + 0.2 * t))
        rough = math.cos(0.2 * t) * noise[0] + math.sin(0.2 * t) * noise[1]
        masks.append(radius + 0.03 * rough < limbs)
    return masks


def disk(radius: int) -> np.ndarray:
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None]**2 + offsets**2 <= radius**2).astype(np.uint8)


def dilated_by_opencv(mask: np.ndarray, radius: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), disk(radius)).astype(bool)


def dilated_by_shifts(mask: np.ndarray, radius: int) -> np.ndarray:
    height, width = mask.shape
    padded, dilated = np.pad(mask, radius), np.zeros_like(mask)
    for dy, dx in np.argwhere(disk(radius)):
        dilated |= padded[dy:dy + height, dx:dx + width]
    return dilated


def straightforward(pred: np.ndarray, gt: np.ndarray, dilated: Callable) -> tuple[float, float]:
    """Compute J and F on whole frames."""
    radius = math.ceil(0.008 * math.hypot(*gt.shape))
    pred_boundary, gt_boundary = boundary_map(pred), boundary_map(gt)
    precision = (pred_boundary & dilated(gt_boundary, radius)).sum() / pred_boundary.sum()
    recall = (gt_boundary & dilated(pred_boundary, radius)).sum() / gt_boundary.sum()
    return (pred & gt).sum() / (pred | gt).sum(), 2 * precision * recall / (precision + recall)


def ours(pred: np.ndarray, gt: np.ndarray) -> tuple[float, float]:
    return region_similarity(pred, gt), contour_accuracy(pred, gt)


def cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    work()
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def stability(sequences: list[list[np.ndarray]]) -> None:
    for masks in sequences:
        chain = InstabilityChain()
        for mask in masks:
            chain.step(mask)


def write(folder: Path, sequences: list[list[np.ndarray]]) -> Path:
    for i, masks in enumerate(sequences):
        for t, mask in enumerate(masks):
            write_indexed_png(folder / f'{i:03d}' / f'{t:05d}.png', mask)
    return folder


def load(args: argparse.Namespace) -> list[list[np.ndarray]]:
    if not args.gt:
        return [drawn_sequence(seed, args.frames, *args.size) for seed in range(4)]
    folders = [path for path in sorted(Path(args.gt).iterdir()) if path.name in (args.sequences or [path.name])]
    return [[MaskReader().read(path).ids > 0 for path in sorted(folder.glob('*.png'))[:args.frames]]
            for folder in folders]


def main() -> None:
    args = parse_args()
    cv2.setNumThreads(1)
    sequences = load(args)
    pairs = [(pred, gt) for masks in sequences for pred, gt in zip(masks, masks[2:]) if pred.any() and gt.any()]
    for pred, gt in pairs:
        np.testing.assert_allclose(ours(pred, gt), straightforward(pred, gt, dilated_by_opencv), atol=1e-12)

    def milliseconds(measure: Callable, some: list) -> float:
        return 1e3 * cpu_seconds(lambda: [measure(*pair) for pair in some], args.rounds) / len(some)

    height, width = pairs[0][0].shape
    print(f'{len(sequences)} sequences, {len(pairs)} pairs, {height}×{width}, one core')
    mine = milliseconds(ours, pairs)
    opencv = milliseconds(lambda p, g: straightforward(p, g, dilated_by_opencv), pairs)
    shifts = milliseconds(lambda p, g: straightforward(p, g, dilated_by_shifts), pairs[:8])
    with tempfile.TemporaryDirectory() as folder:
        gt = write(Path(folder) / 'gt', sequences)
        pred = write(Path(folder) / 'pred', [masks[:2] + masks[:-2] for masks in sequences])
        paths = [(str(path),) for path in sorted(gt.rglob('*.png'))]
        decoding = 2 * milliseconds(MaskReader().read, paths)
        print(f'{"J + F":40s}{mine:10.2f} ms per frame')
        print(f'{"decoding its two PNGs":40s}{decoding:10.2f} ms, {decoding / mine:6.1f} × J + F   (wanted: above 1)')
        print(f'{"full frames, OpenCV":40s}{opencv:10.2f} ms, {opencv / mine:6.1f} × J + F   (wanted: at least 5)')
        print(f'{"full frames, shifts":40s}{shifts:10.2f} ms, {shifts / mine:6.1f} × J + F')
        num_pairs = sum(len(masks) - 1 for masks in sequences)
        seconds = cpu_seconds(lambda: stability(sequences), args.rounds) / num_pairs
        print(f'{"T":40s}{1e3 * seconds:10.1f} ms per pair   (wanted: under 150 on real masks)')
        if not args.skip_workers and len(sequences) > 1:
            times = []
            for workers in (1, 2):
                begin = time.perf_counter()
                evaluate_masks(gt, pred, workers=workers)
                times.append(time.perf_counter() - begin)
            print(f'{"J, F and T, one worker / two":40s}{times[0]:10.1f} s / {times[1]:.1f} s = '
                  f'{times[0] / times[1]:.2f}   (wanted: at least 1.8)')


if __name__ == '__main__':
    main()
