"""Measures the steps of online fine-tuning against the bare forward and backward passes of the same batches.

    .venv/bin/python benchmarks/finetuning.py                                          # on a GPU if there is one
    .venv/bin/python benchmarks/finetuning.py --device cpu --steps 10 --size 128 224

The frames, 480x854 pixels, are made in memory. Two of them have masks. Each step takes the clips, losses, transforms
and optimiser of the config's fine-tuner, with a generator of random weights at full width. The bare passes run on as
many frames of the size of a window as a step has. Rounds alternate between both, so that a slower machine slows both.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import tempseg_mm.datasets  # noqa: F401  registers the transforms
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.memory import keep_freed_memory
from tempseg_mm.sources.given_sequence import GivenSequence

FRAME = (480, 854)
# The parts of the generator, and whether only those parameters are adapted that the config names.
GENERATORS = dict(
    vgg=(dict(backbone=dict(type='VGGBackbone', dropout=0.0), decoder=dict(type='UnpoolDecoder', dropout=0.0)), False),
    tempseg=(dict(backbone=dict(type='TempSegBackbone'), decoder=dict(type='UnpoolDecoder')), False),
    mobilenet=(dict(), True))
COMPUTE = dict(
    channels_last=dict(channels_last='always'), bfloat16=dict(amp=True),
    both=dict(amp=True, channels_last='always'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_davis_mobilenet.py', help='config of losses and steps')
    parser.add_argument('--generator', nargs='+', choices=GENERATORS, default=['vgg', 'mobilenet'])
    parser.add_argument('--size', type=int, nargs=2, default=(256, 448), metavar=('H', 'W'), help='size of a window')
    parser.add_argument('--steps', type=int, default=300, help='steps of the first row; the others have a fifth of it')
    parser.add_argument('--rounds', type=int, default=1, help='rounds of the first row')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


class Given(GivenSequence):
    """An ellipse that moves over a textured ground; the first two frames have masks."""

    def __init__(self) -> None:
        draws = np.random.default_rng(0)
        ground, texture = (cv2.resize(draws.integers(low, high, (60, 107, 3), np.uint8), FRAME[::-1])
                           for low, high in ((0, 160), (100, 256)))
        shape = cv2.ellipse(np.zeros(FRAME, np.uint8), (400, 240), (120, 70), 20, 0, 360, 1, -1)
        self.name, self.num_frames = 'benchmark', 2
        self.labels = {i: np.roll(shape, 4 * i, 1) for i in range(2)}
        self.images = [np.where(mask[..., None] > 0, texture, ground) for mask in self.labels.values()]

    def frames(self) -> Iterator:
        return iter(())  # fine-tuning reads given frames only

    def given_image(self, frame_id: int) -> np.ndarray:
        return self.images[frame_id]


def make(args: argparse.Namespace, generator: str, **compute: object) -> tuple[torch.nn.Module, OnlineFinetuner]:
    """Build the model and the fine-tuner of the config, with another generator and other windows."""
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    MMLogger.get_current_instance().setLevel('WARNING')
    model, settings = cfg.model.to_dict(), cfg.default_hooks.finetune.finetuner.to_dict()
    settings.pop('type', None)
    parts, in_part = GENERATORS[generator]
    model['generator'].update(parts)
    model['generator']['backbone'].pop('init_cfg', None)
    for part in (model, *settings['augment']):
        if 'window' in part:
            part['window']['size'] = tuple(args.size)
    if not in_part:
        settings.update(only=())
    torch.manual_seed(0)
    return MODELS.build(dict(model, compute=compute)).to(args.device).eval(), OnlineFinetuner(**settings)


class Passes:
    """The forward and backward passes of a step and nothing else, on the parameters that the fine-tuner adapts."""

    def __init__(self, model: torch.nn.Module, finetuner: OnlineFinetuner, args: argparse.Namespace) -> None:
        frames = finetuner.clips_per_step * clip_length(model, finetuner)
        self.compute, self.device = model.compute, torch.device(args.device)
        self.generator = finetuner.copy_of(model.generator).train(finetuner.mode == 'train')
        self.inputs = [torch.rand(frames, channels, *args.size, device=args.device) for channels in (3, 1)]
        self.masks = self.inputs[1].round()
        self.parameters = [parameter for name, parameter in self.generator.named_parameters()
                           if not finetuner.only or name.startswith(finetuner.only)]
        self.generator.requires_grad_(False)
        for parameter in self.parameters:
            parameter.requires_grad_(True)

    def run(self, number: int) -> None:
        for _ in range(number):
            with self.compute.autocast(self.device):
                logits = self.generator(*self.inputs)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), self.masks)
            torch.autograd.grad(loss, self.parameters)


def clip_length(model: torch.nn.Module, finetuner: OnlineFinetuner) -> int:
    """Return the number of frames in a clip: 1 if no loss compares frames."""
    return 1 if all(loss.per_frame for name, loss in model.losses.items() if name not in finetuner.leave_out) else 2


def draw(finetuner: OnlineFinetuner, given: GivenObject, length: int, steps: int) -> None:
    """Draw the clips of some steps."""
    for _ in range(finetuner.clips_per_step * steps):
        finetuner.pipeline(finetuner.augment(dict(
            sequence_name=given.name, frame_ids=list(range(length)), frames=[given.frame(i) for i in range(length)],
            gt_masks=[given.mask(i) for i in range(length)], shown=[1.0] * length,
            flow=[np.zeros((*FRAME, 2), np.float32)] * (length - 1))))


def measured(function: Callable, number: int, device: str) -> tuple[float, float]:
    """Return milliseconds of each of a number of steps, with the wait for the device, and peak memory in GiB."""
    on_cuda = torch.device(device).type == 'cuda'
    if on_cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    function(number)
    if torch.device(device).type != 'cpu':
        torch.get_device_module(device).synchronize()
    spent = 1e3 * (time.perf_counter() - started) / number
    return spent, torch.cuda.max_memory_allocated() / 2 ** 30 if on_cuda else 0.0


def row(args: argparse.Namespace, generator: str, steps: int, rounds: int, graphs: tuple, **compute: object) -> str:
    """Measure bare passes, and steps without or with a CUDA graph, alternating."""
    given, parts = GivenObject(Given(), 1), {}
    for graph in graphs:
        model, finetuner = make(args, generator, graph=graph, **compute)
        parts.setdefault('bare', Passes(model, finetuner, args).run)
        parts['graph' if graph else 'steps'] = partial(adapt, finetuner, model, given)
    for part in parts.values():
        part(3)
    found = [{name: measured(part, steps, args.device) for name, part in parts.items()} for _ in range(rounds)]
    bare = statistics.median(figures['bare'][0] for figures in found)
    cells = [f'{bare:8.2f} ms {found[-1]["bare"][1]:5.2f} GiB']
    for name in list(parts)[1:]:
        spent = statistics.median(figures[name][0] for figures in found)
        cells.append(f'{name} {spent:8.2f} ms {spent / bare:5.2f} {found[-1][name][1]:5.2f} GiB')
    return '   '.join(cells)


def adapt(finetuner: OnlineFinetuner, model: torch.nn.Module, given: GivenObject, steps: int) -> None:
    finetuner.adapt(model, given, steps=steps)


def main() -> None:
    args = parse_args()
    keep_freed_memory()
    print(f'{args.device}, {torch.get_num_threads()} threads, windows of {args.size[0]}x{args.size[1]}. A step: bare '
          'passes, peak memory | fine-tuning, ratio, peak memory | the same with a CUDA graph')
    for generator in args.generator:
        model, finetuner = make(args, generator)
        given, length = GivenObject(Given(), 1), clip_length(model, finetuner)
        draws, _ = measured(partial(draw, finetuner, given, length), 20, args.device)
        print(f'{generator}: steps of {finetuner.clips_per_step} clips of {length} frames; a CPU draws them in '
              f'{draws:.1f} ms')
        on_cuda = torch.device(args.device).type == 'cuda'
        both = (False, True) if on_cuda else (False,)
        print(f'  plain         {row(args, generator, args.steps, args.rounds, both)}', flush=True)
        for name, compute in COMPUTE.items() if on_cuda else ():
            print(f'  {name:13s} {row(args, generator, max(5, args.steps // 5), 1, (True,), **compute)}', flush=True)


if __name__ == '__main__':
    main()
