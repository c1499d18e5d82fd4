"""Measures the cost of the ITSD loss against the paper's literal loops and against the generator that it trains.

    .venv/bin/python benchmarks/losses.py [--masks 50] [--size 480 854] [--threads 2] [--repeats 5] [--skip-generator]

Times are medians of wall-clock seconds after one warm-up. ITSDL is the whole term as in training: targets from ground
truth and flow, forward, and backward to the prediction. The loops (Algorithm 2 in tests/reference/algorithms.py, only
forward, which favours them) are timed on a crop. Their time per pixel is scaled to whole masks, since every pixel takes
the same number of steps.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads disturb timings on shared cores
os.environ.setdefault('GOMP_SPINCOUNT', '0')

import numpy as np  # noqa: E402
import torch  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

from reference import algorithms  # noqa: E402

from tempseg_mm.models.losses.itsd import itsd_loss, itsd_target  # noqa: E402
from tempseg_mm.registry import MODELS  # noqa: E402

GENERATOR = dict(type='EncoderDecoderGenerator', backbone=dict(type='TempSegBackbone'),
                 decoder=dict(type='UnpoolDecoder'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--masks', type=int, default=50, help='number of predicted masks')
    parser.add_argument('--size', type=int, nargs=2, default=(480, 854), metavar=('H', 'W'), help='size of a mask')
    parser.add_argument('--crop', type=int, nargs=2, default=(96, 128), metavar=('H', 'W'),
                        help='size of the crop for the loops')
    parser.add_argument('--patch-size', type=int, default=4, help='s of eq. 6')
    parser.add_argument('--threads', type=int, default=os.cpu_count(), help='threads of torch')
    parser.add_argument('--repeats', type=int, default=5, help='measurements per median')
    parser.add_argument('--skip-generator', action='store_true',
                        help='do not time the generator, which takes tens of seconds')
    return parser.parse_args()


def median_seconds(work: Callable[[], object], repeats: int, *, warm_up: bool = True) -> float:
    """Return the median wall-clock time of ``work``."""
    if warm_up:
        work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def blob_masks(n: int, height: int, width: int, generator: torch.Generator) -> torch.Tensor:
    """Return (n, 1, H, W) masks of 0 and 1 with one large smooth object each."""
    coarse = torch.rand(n, 1, 5, 7, generator=generator)
    return (torch.nn.functional.interpolate(coarse, (height, width), mode='bicubic') > 0.6).float()


def itsd_seconds(args: argparse.Namespace) -> float:
    """Time ITSDL forward + backward on all masks."""
    generator = torch.Generator().manual_seed(0)
    height, width = args.size
    gt = blob_masks(args.masks + 1, height, width, generator)[None]  # [1, T, 1, H, W]: T - 1 masks are compared
    flow = torch.randn(1, args.masks, 2, height, width, generator=generator) * 2
    pred = torch.rand(1, args.masks, 1, height, width, generator=generator).requires_grad_()

    def step() -> None:
        pred.grad = None
        itsd_loss(pred, itsd_target(gt, flow, args.patch_size), args.patch_size).backward()

    return median_seconds(step, args.repeats)


def loop_seconds_per_pixel(args: argparse.Namespace) -> float:
    """Time Algorithm 2 as nested loops on one crop of a mask."""
    rng = np.random.default_rng(0)
    height, width = args.crop
    masks = blob_masks(2, height, width, torch.Generator().manual_seed(0))[:, 0].numpy()
    flow = rng.normal(0, 2, (height, width, 2)).astype(np.float32)
    seconds = median_seconds(lambda: algorithms.itsd_score(masks[0], masks[1], flow, args.patch_size), args.repeats)
    return seconds / (height * width)


def generator_seconds(args: argparse.Namespace) -> float:
    """Time forward + backward of the generator at full width on one frame."""
    model = MODELS.build(GENERATOR).train()
    frames, reference = torch.rand(1, 3, *args.size), torch.zeros(1, 1, *args.size)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        model(frames, reference).mean().backward()

    return median_seconds(step, min(args.repeats, 3))


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    height, width = args.size
    itsd = itsd_seconds(args)
    loops = loop_seconds_per_pixel(args) * height * width * args.masks
    print(f'{args.masks} masks of {height}×{width}, s = {args.patch_size}, {args.threads} threads, '
          f'torch {torch.__version__}')
    print(f'{"ITSDL, forward + backward":44s}{itsd:10.3f} s {itsd / args.masks * 1e3:10.1f} ms per mask')
    print(f'{"literal loops, forward (scaled from a crop)":44s}{loops:10.1f} s '
          f'{loops / args.masks * 1e3:10.1f} ms per mask')
    print(f'{"loops / ITSDL":44s}{loops / itsd:10.0f} ×   (wanted: at least 300)')
    if not args.skip_generator:
        generator = generator_seconds(args)
        print(f'{"generator, forward + backward, one frame":44s}{generator:10.2f} s')
        print(f'{"ITSDL per mask / generator per frame":44s}{100 * itsd / args.masks / generator:10.2f} %   '
              '(wanted: well under 1)')


if __name__ == '__main__':
    main()
