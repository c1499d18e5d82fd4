"""Measures the cost of the dense CRF, and the speed-up by worker processes.

    .venv/bin/python benchmarks/crf.py [--frames 24] [--size 480 854] [--workers 1 2] [--repeats 3]

Frames are smooth scenes with a blurred outline, refined with the default settings as in a test. Workers are started
before the clock. The last line is the throughput of the most workers over that of the fewest, from medians of repeats
that alternate, so that other work on the machine affects both equally.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=24, help='frames to refine per measurement')
    parser.add_argument('--size', type=int, nargs=2, default=(480, 854), metavar=('H', 'W'), help='size of a frame')
    parser.add_argument('--workers', type=int, nargs='+', default=(1, 2), help='numbers of processes to compare')
    parser.add_argument('--repeats', type=int, default=3, help='measurements per median')
    return parser.parse_args()


def scene(num_frames: int, size: tuple) -> Iterator:
    """Yield frames of a bright object on a smooth ground, with a probability that is blurred over its outline."""
    import cv2
    import numpy as np

    from tempseg_mm.structures import SegmentedFrame
    generator = np.random.default_rng(0)
    image = cv2.resize(generator.integers(0, 160, (12, 20, 3), dtype=np.uint8), size[::-1])
    mask = cv2.resize(generator.random((6, 10), dtype=np.float32), size[::-1]) > 0.6
    image[mask] += 80
    probability = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), size[0] / 60)
    for i in range(num_frames):
        yield SegmentedFrame('scene', i, f'{i:05d}', image, num_frames=num_frames, answered=True,
                             probabilities=probability[None].copy())


def seconds(refiner, num_frames: int, size: tuple) -> float:
    """Return the wall-clock time of one pass over the frames."""
    stream = list(scene(num_frames, size))
    begin = time.perf_counter()
    for _ in refiner.refine(iter(stream)):
        pass
    return time.perf_counter() - begin


def main() -> None:
    # Imported here, since the worker processes import this file and need none of this.
    from tempseg_mm.inference.refine import CRFRefiner
    from tempseg_mm.ops.dense_crf import DenseCRF

    args = parse_args()
    refiners = {workers: CRFRefiner(DenseCRF(), workers=workers) for workers in sorted(args.workers)}
    times: dict = {workers: [] for workers in refiners}
    for workers, refiner in refiners.items():
        seconds(refiner, 2 * workers, args.size)
    for _ in range(args.repeats):
        for workers, refiner in refiners.items():
            times[workers].append(seconds(refiner, args.frames, args.size))
    rates = {workers: args.frames / statistics.median(measured) for workers, measured in times.items()}
    print(f'{args.frames} frames of {args.size[0]}×{args.size[1]}, medians of {args.repeats}')
    for workers, rate in rates.items():
        print(f'{workers} worker(s){rate:10.2f} frames/s{1 / rate:10.3f} s per frame')
        refiners[workers].close()
    fewest, most = min(rates), max(rates)
    print(f'{most} workers / {fewest}: {rates[most] / rates[fewest]:.2f} ×   (wanted, 2 on two idle cores: 1.6)')


if __name__ == '__main__':
    main()
