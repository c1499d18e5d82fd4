"""Measures the cost of optical flow: time and memory of every provider, and FlowNetC's correlation in two versions.

    .venv/bin/python benchmarks/flow.py [--sizes 256x448 480x854] [--providers DISFlow FlowNet2Flow] [--threads 1 8]
    .venv/bin/python benchmarks/flow.py --device cpu     # the networks on the CPU despite a GPU

The networks run on the GPU if there is one, in float32 and in TF32, with one pair and with several pairs at once. The
others run on the CPU with each number of threads. The networks have random weights, which do not affect their time.
Times are medians after a warm-up. Memory is what a GPU held at most, or the peak of a process of its own, including
Python, torch and the weights. CachedFlow reads the results of DISFlow. RAFTFlow is measured if torchvision is
installed.
"""

import argparse
import importlib.util
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads disturb timings on shared cores
os.environ.setdefault('GOMP_SPINCOUNT', '0')

import cv2
import torch
from mmengine.device import get_device

from tempseg_mm import flow
from tempseg_mm.flow.flownet2.blocks import correlation, correlation_by_shifts
from tempseg_mm.runtime.memory import keep_freed_memory

NETWORKS = ['FlowNet2Flow', 'FlowNetCFlow', 'FlowNetSFlow', 'FlowNetSDFlow', 'RAFTFlow']
PROVIDERS = ['ZeroFlow', 'DISFlow', 'CachedFlow', *NETWORKS]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--sizes', nargs='+', default=['256x448', '480x854'], metavar='HxW',
                        help='frame sizes in pixels')
    parser.add_argument('--providers', nargs='+', choices=PROVIDERS, default=PROVIDERS,
                        help='providers to measure; default: all')
    parser.add_argument('--device', help='device of the networks; default: the GPU if there is one')
    parser.add_argument('--batch', nargs='+', type=int,
                        help='pairs at once, for the networks; default: 1 and 4 on a GPU, 1 on the CPU')
    parser.add_argument('--threads', nargs='+', type=int,
                        help='threads of torch and OpenCV; default: 1, and all cores if a GPU does the rest')
    parser.add_argument('--repeats', type=int, default=3, help='measurements per median')
    args = parser.parse_args()
    args.device = args.device or get_device()
    on_cpu = args.device == 'cpu'
    args.batch = args.batch or ([1] if on_cpu else [1, 4])
    args.threads = args.threads or ([1] if on_cpu else sorted({1, len(os.sched_getaffinity(0))}))
    return args


def median_seconds(work: Callable[[], object], repeats: int, device: str = 'cpu') -> float:
    """Return the median wall-clock time of ``work`` after a warm-up, until the device is through."""
    wait = (lambda: None) if device == 'cpu' else getattr(torch, torch.device(device).type).synchronize
    work()
    times = []
    for _ in range(repeats):
        wait()
        begin = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def allow_tf32(allowed: bool) -> None:
    """Let a GPU round products of convolutions and matrices to ten bits, or not."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def make_provider(name: str, folder: str, device: str):
    """Build the provider; a network gets random weights instead of a file."""
    if name == 'CachedFlow':
        return flow.CachedFlow(flow.DISFlow(), folder)
    if name not in NETWORKS:
        return getattr(flow, name)()
    with torch.device(device):  # a GPU draws random weights in no time
        if name == 'RAFTFlow':
            from torchvision.models import optical_flow
            provider = flow.RAFTFlow()
            provider._built = optical_flow.raft_large(weights=None)
        else:
            provider = getattr(flow, name)('random', sha256=64 * '0')
            provider._built = provider.network()
    provider._built.eval().requires_grad_(False)
    return provider


def some_pairs(size: tuple, count: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``count`` pairs of smooth frames, the second moved by two pixels down and three to the right."""
    frames = torch.rand(count, 3, 12, 20, generator=torch.Generator().manual_seed(0)) * 255
    frames = torch.nn.functional.interpolate(frames, size, mode='bicubic').clamp(0, 255).byte().to(device)
    return frames, frames.roll((2, 3), (2, 3))


def on_the_cpu(name: str, size: tuple, batch: int, threads: int, repeats: int) -> tuple[float, float]:
    """Return seconds per pair and GiB; call it in a new process."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    with tempfile.TemporaryDirectory() as folder:
        provider = make_provider(name, folder, 'cpu')
        provider.batch_size = batch
        pairs = some_pairs(size, batch, 'cpu')
        seconds = median_seconds(lambda: provider(*pairs), repeats)
    return seconds / batch, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20


def on_a_gpu(name: str, size: tuple, args: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    """Yield a setting, seconds per pair and GiB; NaN where the device does not tell its memory."""
    provider, cuda = make_provider(name, '', args.device), torch.device(args.device).type == 'cuda'
    for tf32 in (False, True) if cuda else (False,):
        for batch in args.batch:
            provider.batch_size = batch
            pairs = some_pairs(size, batch, args.device)
            allow_tf32(tf32)
            if cuda:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            seconds = median_seconds(lambda: provider(*pairs), args.repeats, args.device)  # noqa: B023
            memory = torch.cuda.max_memory_allocated() / 2 ** 30 if cuda else float('nan')
            yield f'{"TF32" if tf32 else "float32"}, batch {batch}', seconds / batch, memory


def measure_correlation(size: tuple, threads: int, repeats: int, device: str) -> tuple[float, float]:
    """Return the seconds of FlowNetC's correlation on a pair of ``size``, and of its version by shifted products."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    allow_tf32(False)
    maps = torch.randn(2, 1, 256, *(-(-side // 64) * 8 for side in size), device=device)
    with torch.no_grad():
        return (median_seconds(lambda: correlation(*maps), repeats, device),
                median_seconds(lambda: correlation_by_shifts(*maps), repeats, device))


def alone(function: Callable, *arguments):
    """Return ``function(*arguments)``, called in a new process."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, arguments)


def measured(name: str, size: tuple, args: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    """Yield a setting, seconds per pair and GiB of one provider."""
    if name in NETWORKS and args.device != 'cpu':
        yield from on_a_gpu(name, size, args)
        return
    for threads in args.threads if name in ('DISFlow', *NETWORKS) else args.threads[:1]:
        for batch in args.batch if name in NETWORKS else (1,):
            yield f'CPU, threads {threads}, batch {batch}', *alone(on_the_cpu, name, size, batch, threads, args.repeats)


def main() -> None:
    args = parse_args()
    if args.device.startswith('cuda'):
        print(f'{torch.cuda.get_device_name()}, torch {torch.__version__}')
    for text in args.sizes:
        size = tuple(map(int, text.split('x')))
        print(f'{text:41s}{"ms per pair":>12s}{"peak GiB":>10s}', flush=True)
        fastest = {}
        for name in args.providers:
            if name == 'RAFTFlow' and importlib.util.find_spec('torchvision') is None:
                print(f'{name:16s} torchvision is not installed')
                continue
            for setting, seconds, memory in measured(name, size, args):
                fastest[name] = min(seconds, fastest.get(name, seconds))
                print(f'{name:16s} {setting:24s}{1e3 * seconds:12.1f}{memory:10.2f}', flush=True)
        fast, slow = alone(measure_correlation, size, args.threads[0], args.repeats, args.device)
        share = f', {fast / fastest["FlowNet2Flow"]:.1%} of FlowNet2Flow' if 'FlowNet2Flow' in fastest else ''
        print(f'correlation {1e3 * fast:.1f} ms{share}; by shifts {1e3 * slow:.1f} ms, {slow / fast:.1f} × '
              '(wanted on a CPU: at least 3)\n', flush=True)


if __name__ == '__main__':
    main()
