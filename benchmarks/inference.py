"""Measures the cost of segmenting a whole video against the bare network, where the time goes, and whether memory
grows.

    .venv/bin/python benchmarks/inference.py                                    # both parts: nearly an hour
    .venv/bin/python benchmarks/inference.py --parts speed --settings small        # a minute
    .venv/bin/python benchmarks/inference.py --parts memory --memory-frames 20 200

The benchmark writes a video of moving noise with an object as MP4 and segments it as `tempseg-segment` does: masks,
overlay and page, without fine-tuning and CRF. The bare network is the generator's forward pass on a ready tensor of the
working size. Half of its passes run before each call and half after it, so that a slower machine slows both. Ratios
compare frames per second. `walk` lasts from the first frame read to the last file written. `call` also includes opening
the video and writing the page, which hardly matter for a long video. Compare the ratios, not the seconds. The small
network is faster than the encoder of the overlay, which then limits the speed: its ratio shows how far the encoder lags
behind.

Peak memory is the peak of a new process, including Python, torch and the small network.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads disturb timings on shared cores
os.environ.setdefault('GOMP_SPINCOUNT', '0')

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SETTINGS = dict(
    full=dict(config=str(ROOT / 'configs/tempseg_davis.py'), size=480, frames=9),
    small=dict(config=str(ROOT / 'configs/segment_video.py'), size=None, frames=49))
STAGES = dict(
    read='decoding, ahead of the network', prepare='shrinking and flow, ahead of the network', network='the network',
    masks='PNG files, behind the network', overlay='drawing and encoding, behind the network')
WANTED = 0.9


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--parts', nargs='+', choices=['speed', 'memory'], default=['speed', 'memory'])
    parser.add_argument('--settings', nargs='+', choices=SETTINGS, default=list(SETTINGS),
                        help='full: width 1 at 480 pixels, as in the paper; small: the default of tempseg-segment')
    parser.add_argument('--size', type=int, nargs=2, default=(480, 854), metavar=('H', 'W'), help='size of the video')
    parser.add_argument('--frames', type=int, help='frames of the timed video; default: 9 for full, 49 for small')
    parser.add_argument('--rounds', type=int, default=5, help='calls after the warm-up call')
    parser.add_argument('--memory-frames', type=int, nargs=2, default=(100, 1000), metavar=('FEW', 'MANY'),
                        help='numbers of frames at which peak memory is compared')
    parser.add_argument('--threads', type=int, help='threads of torch and OpenCV; default: their own')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def make_video(path: Path, num_frames: int, size: tuple) -> Path:
    """Write the video; the mask of its first frame is :func:`first_mask`."""
    import cv2
    import numpy as np

    from tempseg_mm.visualization.video_writer import MP4, VideoWriter

    generator = np.random.default_rng(0)
    ground, texture = (cv2.resize(generator.integers(low, high, (24, 40, 3), dtype=np.uint8), size[::-1])
                       for low, high in ((0, 140), (120, 256)))
    mask = first_mask(size)[..., None]
    with VideoWriter(path, MP4, 24) as video:
        for t in range(num_frames):
            video.write(np.where(np.roll(mask, 3 * t, 1), texture, np.roll(ground, (t, -2 * t), (0, 1))))
    return path


def first_mask(size: tuple):
    """Return the mask of the first frame, an ellipse, (H, W) uint8 0/1."""
    import cv2
    import numpy as np
    height, width = size
    return cv2.ellipse(np.zeros(size, np.uint8), (width // 4, height // 2), (width // 9, height // 5), 0, 0, 360, 1, -1)


def use_threads(number: int | None) -> None:
    """Set the threads of torch and OpenCV in this process, and memory handling as in the commands."""
    import cv2
    import torch

    from tempseg_mm.runtime.memory import keep_freed_memory
    keep_freed_memory()
    if number is not None:
        torch.set_num_threads(number)
        cv2.setNumThreads(number)


def make_inferencer(config: str, size: int | None, device: str):
    """Build an inferencer with random weights, which do not affect the time, and without fine-tuning."""
    from tempseg_mm.apis.inferencer import VOSInferencer
    return VOSInferencer(config, 'none', device, steps=0, size=size)


class Pair:
    """A whole call and the bare network, at the same working size.

    Args:
        inferencer: see :func:`make_inferencer`.
        video: video to segment.
        mask: mask of its first frame.
        passes: forward passes of the network in a call: one for each frame except the first.
        out_dir: output folder, overwritten by each call.
    """

    def __init__(self, inferencer, video: Path, mask, *, passes: int, out_dir: Path) -> None:
        import torch

        from tempseg_mm.ops.resize import target_size
        self.inferencer, self.video, self.mask, self.passes, self.out_dir = inferencer, video, mask, passes, out_dir
        self.generator = inferencer.segmenter.model.generator
        self.device = next(self.generator.parameters()).device
        self.size = target_size(inferencer.segmenter.size, mask.shape)
        self.inputs = [torch.rand(1, channels, *self.size, device=self.device) for channels in (3, 1)]

    def bare(self, passes: int) -> float:
        """Return the seconds of this number of forward passes."""
        import torch
        begin = time.perf_counter()
        with torch.no_grad():
            for _ in range(passes):
                self.generator(*self.inputs)
        if self.device.type == 'cuda':
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    def round(self) -> dict:
        """Run both once; return seconds per frame of each, and of each stage of the call."""
        before = self.bare((self.passes + 1) // 2)
        begin = time.perf_counter()
        result = self.inferencer(self.video, self.mask, out_dir=self.out_dir, overwrite=self.out_dir.exists())
        call = time.perf_counter() - begin
        bare = before + self.bare(self.passes // 2)
        stages = {stage: result.timings[stage] / self.passes for stage in STAGES}
        return dict(bare=bare / self.passes, call=call / self.passes, walk=1 / result.timings['frames_per_s'], **stages)


def measure_speed(name: str, args: argparse.Namespace, folder: Path) -> None:
    """Print the ratios and the shares of one setting."""
    use_threads(args.threads)
    import torch

    setting = SETTINGS[name]
    frames = args.frames or setting['frames']
    video = make_video(folder / f'{name}.mp4', frames, args.size)
    inferencer = make_inferencer(setting['config'], setting['size'], args.device)
    pair = Pair(inferencer, video, first_mask(args.size), passes=frames - 1, out_dir=folder / name)
    pair.round()  # warms up
    rounds = [pair.round() for _ in range(args.rounds)]
    median = {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}
    print(f'{name}: {frames} frames of {args.size[0]}×{args.size[1]}, network at {pair.size[0]}×{pair.size[1]}, '
          f'{args.device}, {torch.get_num_threads()} thread(s), {args.rounds} rounds')
    print(f'  bare network {1e3 * median["bare"]:10.1f} ms per frame')
    for part, wanted in (('walk', f'   (wanted: at least {WANTED})' if name == 'full' else ''), ('call', '')):
        ratios = sorted(figures['bare'] / figures[part] for figures in rounds)
        print(f'  {part} {1e3 * median[part]:18.1f} ms per frame; speed / bare network: min {ratios[0]:.2f}, median '
              f'{statistics.median(ratios):.2f}, max {ratios[-1]:.2f}{wanted}')
    print_shares(rounds, median)


def print_shares(rounds: list, median: dict) -> None:
    """Print where the time goes. Stages of one thread add up; stages of different threads overlap."""
    print('  stage        ms per frame   of the walk')
    for stage, what in STAGES.items():
        share = statistics.median(figures[stage] / figures['walk'] for figures in rounds)
        print(f'  {stage:10s} {1e3 * median[stage]:14.1f} {share:12.0%}   {what}')
    rest = [1 - figures['network'] / figures['walk'] for figures in rounds]
    work = [sum(figures[stage] for stage in STAGES) / figures['walk'] for figures in rounds]
    slowed = [figures['network'] / figures['bare'] for figures in rounds]
    print(f'  {"rest":10s} {1e3 * (median["walk"] - median["network"]):14.1f} {statistics.median(rest):12.0%}   '
          "the network's thread beside it: deciding, recording, waiting")
    print(f'  {statistics.median(work):.2f} s of stages in a second of the walk; the network beside the others takes '
          f'{statistics.median(slowed):.2f} × its time alone\n', flush=True)


def peak_memory(video: str, size: tuple, threads: int | None, device: str, out_dir: str) -> tuple[float, float]:
    """Return GiB, and frames per second; call it in a new process."""
    use_threads(threads)
    inferencer = make_inferencer(SETTINGS['small']['config'], SETTINGS['small']['size'], device)
    result = inferencer(video, first_mask(size), out_dir=out_dir)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20, result.timings['frames_per_s']


def measure_memory(args: argparse.Namespace, folder: Path) -> None:
    """Print the peaks of a short and of a long video."""
    peaks = []
    for frames in args.memory_frames:
        video = make_video(folder / f'{frames}.mp4', frames, args.size)
        peak, rate = alone(peak_memory, str(video), args.size, args.threads, args.device, str(folder / str(frames)))
        peaks.append(peak)
        print(f'memory: {frames:5d} frames of {args.size[0]}×{args.size[1]}: peak {1024 * peak:8.1f} MiB   '
              f'({rate:.1f} frames/s)', flush=True)
    print(f'many / few: {peaks[1] / peaks[0]:.3f}   (wanted: 0.95 to 1.05)')


def alone(function: Callable, *arguments):
    """Return ``function(*arguments)``, called in a new process."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    args = parse_args()
    args.size = tuple(args.size)
    with tempfile.TemporaryDirectory() as folder:
        if 'speed' in args.parts:
            for name in args.settings:
                measure_speed(name, args, Path(folder))
        if 'memory' in args.parts:
            measure_memory(args, Path(folder))


if __name__ == '__main__':
    main()
