"""Measures the cost of optical flow: time and memory of every provider, and FlowNetC's correlation in two versions.

    .venv/bin/python benchmarks/flow.py [--sizes 256x448 480x854] [--providers DISFlow FlowNet2Flow] [--threads 1]

Each provider runs in its own process, on one frame pair at a time. The networks have random weights, which do not
affect their time. Times are medians after a warm-up. Memory is the peak of the process, including Python, torch and the
weights. CachedFlow reads the results of DISFlow. RAFTFlow is measured if torchvision is installed.
"""

import argparse
import importlib.util
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

PROVIDERS = ['ZeroFlow', 'DISFlow', 'CachedFlow', 'FlowNet2Flow', 'FlowNetCFlow', 'FlowNetSFlow', 'FlowNetSDFlow',
             'RAFTFlow']


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--sizes', nargs='+', default=['256x448', '480x854'], metavar='HxW',
                        help='frame sizes in pixels')
    parser.add_argument('--providers', nargs='+', choices=PROVIDERS, default=PROVIDERS,
                        help='providers to measure; default: all')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch and OpenCV')
    parser.add_argument('--repeats', type=int, default=3, help='measurements per median')
    return parser.parse_args()


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median wall-clock time of ``work`` after a warm-up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def make_provider(name: str, folder: str):
    """Build the provider; a network gets random weights instead of a file."""
    from tempseg_mm import flow
    if name == 'CachedFlow':
        return flow.CachedFlow(flow.DISFlow(), folder)
    if name == 'RAFTFlow':
        from torchvision.models import optical_flow
        provider = flow.RAFTFlow()
        provider._built = optical_flow.raft_large(weights=None).eval()
        return provider
    if not name.startswith('FlowNet'):
        return getattr(flow, name)()
    provider = getattr(flow, name)('random', sha256=64 * '0')
    provider._built = provider.network().eval().requires_grad_(False)
    return provider


def measure_provider(name: str, size: tuple, threads: int, repeats: int) -> tuple[float, float]:
    """Return seconds per pair and GiB; call it in a new process."""
    import cv2
    import torch

    from tempseg_mm.runtime.memory import keep_freed_memory
    keep_freed_memory()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    frames = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0)) * 255
    frame = torch.nn.functional.interpolate(frames, size, mode='bicubic').clamp(0, 255).byte()
    with tempfile.TemporaryDirectory() as folder:
        provider = make_provider(name, folder)
        seconds = median_seconds(lambda: provider(frame, frame.roll((1, 2), (2, 3))), repeats)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20


def measure_correlation(size: tuple, threads: int, repeats: int) -> tuple[float, float]:
    """Return the seconds of FlowNetC's correlation on a pair of ``size``, and of its version by shifted products."""
    import torch

    from tempseg_mm.flow.flownet2.blocks import correlation, correlation_by_shifts
    from tempseg_mm.runtime.memory import keep_freed_memory
    keep_freed_memory()
    torch.set_num_threads(threads)
    maps = torch.randn(2, 1, 256, *(-(-side // 64) * 8 for side in size))
    with torch.no_grad():
        return (median_seconds(lambda: correlation(*maps), repeats),
                median_seconds(lambda: correlation_by_shifts(*maps), repeats))


def alone(function: Callable, *arguments):
    """Return ``function(*arguments)``, called in a new process."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    args = parse_args()
    for text in args.sizes:
        size = tuple(map(int, text.split('x')))
        print(f'{text}, {args.threads} thread(s)\n{"":16s}{"ms per pair":>12s}{"peak GiB":>10s}', flush=True)
        seconds = {}
        for name in args.providers:
            if name == 'RAFTFlow' and importlib.util.find_spec('torchvision') is None:
                print(f'{name:16s}  torchvision is not installed')
                continue
            seconds[name], memory = alone(measure_provider, name, size, args.threads, args.repeats)
            print(f'{name:16s}{1e3 * seconds[name]:12.1f}{memory:10.2f}', flush=True)
        fast, slow = alone(measure_correlation, size, args.threads, args.repeats)
        share = f', {fast / seconds["FlowNet2Flow"]:.1%} of FlowNet2Flow' if 'FlowNet2Flow' in seconds else ''
        print(f'correlation {1e3 * fast:.1f} ms{share}; by shifts {1e3 * slow:.1f} ms, {slow / fast:.1f} × '
              '(wanted: at least 3)\n', flush=True)


if __name__ == '__main__':
    main()
