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


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_davis_mobilenet.py', help='config of losses and steps')
    parser.add_argument('--generator', choices=GENERATORS, default='vgg')
    parser.add_argument('--size', type=int, nargs=2, default=(256, 448), metavar=('H', 'W'), help='size of a window')
    parser.add_argument('--steps', type=int, default=300, help='steps of a round')
    parser.add_argument('--rounds', type=int, default=3)
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


def make(args: argparse.Namespace) -> tuple[torch.nn.Module, OnlineFinetuner]:
    """Build the model and the fine-tuner of the config with the generator and the windows that the arguments name."""
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    MMLogger.get_current_instance().setLevel('WARNING')
    model, settings = cfg.model.to_dict(), cfg.default_hooks.finetune.finetuner.to_dict()
    settings.pop('type', None)
    parts, in_part = GENERATORS[args.generator]
    model['generator'].update(parts)
    model['generator']['backbone'].pop('init_cfg', None)
    for part in (model, *settings['augment']):
        if 'window' in part:
            part['window']['size'] = tuple(args.size)
    if not in_part:
        settings.update(only=())
    torch.manual_seed(0)
    return MODELS.build(model).to(args.device).eval(), OnlineFinetuner(**settings)


class Passes:
    """The forward and backward passes of a step and nothing else, on the parameters that the fine-tuner adapts."""

    def __init__(self, model: torch.nn.Module, finetuner: OnlineFinetuner, args: argparse.Namespace) -> None:
        frames = finetuner.clips_per_step * clip_length(model, finetuner)
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
            loss = torch.nn.functional.binary_cross_entropy_with_logits(self.generator(*self.inputs), self.masks)
            torch.autograd.grad(loss, self.parameters)


def clip_length(model: torch.nn.Module, finetuner: OnlineFinetuner) -> int:
    """Return the number of frames in a clip: 1 if no loss compares frames."""
    return 1 if all(loss.per_frame for name, loss in model.losses.items() if name not in finetuner.leave_out) else 2


def draw(finetuner: OnlineFinetuner, given: GivenObject, length: int) -> None:
    """Draw the clips of a step."""
    for _ in range(finetuner.clips_per_step):
        finetuner.pipeline(finetuner.augment(dict(
            sequence_name=given.name, frame_ids=list(range(length)), frames=[given.frame(i) for i in range(length)],
            gt_masks=[given.mask(i) for i in range(length)], shown=[1.0] * length,
            flow=[np.zeros((*FRAME, 2), np.float32)] * (length - 1))))


def seconds(function: Callable, device: str) -> float:
    """Return the seconds of a call, with the wait for the device."""
    started = time.perf_counter()
    function()
    if torch.device(device).type != 'cpu':
        torch.get_device_module(device).synchronize()
    return time.perf_counter() - started


def main() -> None:
    args = parse_args()
    keep_freed_memory()
    model, finetuner = make(args)
    given, passes, length = GivenObject(Given(), 1), Passes(model, finetuner, args), clip_length(model, finetuner)
    on_cuda = torch.device(args.device).type == 'cuda'
    parts = dict(
        bare=partial(passes.run, args.steps),
        steps=partial(finetuner.adapt, model, given, steps=args.steps),
        draws=lambda: [draw(finetuner, given, length) for _ in range(min(20, args.steps))])
    passes.run(3)
    finetuner.adapt(model, given, steps=3)
    spent, peaks = {name: [] for name in parts}, dict.fromkeys(parts, 0.0)
    for _ in range(args.rounds):
        for name, part in parts.items():
            if on_cuda:
                torch.cuda.reset_peak_memory_stats()
            spent[name].append(seconds(part, args.device))
            if on_cuda:
                peaks[name] = torch.cuda.max_memory_allocated() / 2 ** 30

    each = {name: 1e3 * statistics.median(times) / args.steps for name, times in spent.items()}
    each['draws'] *= args.steps / min(20, args.steps)
    ratios = [step / bare for step, bare in zip(spent['steps'], spent['bare'], strict=True)]
    print(f'{args.generator}, {args.steps} steps of {finetuner.clips_per_step} clips of {length} frames '
          f'{args.size[0]}x{args.size[1]}, {args.device}, {torch.get_num_threads()} threads')
    print(f'forward and backward  {each["bare"]:8.2f} ms a step   {peaks["bare"]:.2f} GiB')
    print(f'fine-tuning           {each["steps"]:8.2f} ms a step   {peaks["steps"]:.2f} GiB   '
          f'ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})')
    print(f'drawing the clips     {each["draws"]:8.2f} ms a step, by the CPU')


if __name__ == '__main__':
    main()
