"""Measures the cost of a whole GAN step against the generator's bare forward and backward pass, and where the time
goes.

At the end it times whole steps on batches of a data loader, with flow estimated in the step and by the loader's
workers.

    .venv/bin/python benchmarks/train_step.py                             # the configuration of tempseg_synthetic.py
    .venv/bin/python benchmarks/train_step.py --width 1 --size 120 214    # full width

    .venv/bin/python benchmarks/train_step.py --downsample 1              # D sees whole masks, as in the paper

Every figure is a median over rounds. The parts of a round run one after the other, so that a slower machine slows all
of them. Compare the ratios, not the milliseconds. Whole steps are timed ten at a time, and their terms are read once in
ten, as often as a training logs them.

The last two columns are arithmetic, in bare passes of the generator: the floating-point operations of a part's
convolutions and matrix products, and the bytes that its operators read and write. Where arithmetic is the limit, a part
costs at least the former; where memory is, at least the latter.
"""

import argparse
import math
import os
import statistics
import time
from collections.abc import Iterable

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from tempseg_mm.datasets.data_stream import DataStream
from tempseg_mm.engine.finite_steps import FiniteSteps
from tempseg_mm.engine.optim import GANOptimWrapperConstructor
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.memory import keep_freed_memory
from tempseg_mm.structures import ClipBatch, VOSDataSample

STEPS = 10  # in a row, of which the terms are read together: the interval of LoggerHook


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_synthetic.py', help='config of model and optimisers')
    parser.add_argument('--width', type=float, help="width multiplier; default: the config's")
    parser.add_argument('--downsample', type=int, help="downsampling of the masks that D sees; default: the config's")
    parser.add_argument('--size', type=int, nargs=2, default=(96, 168), metavar=('H', 'W'), help='size of the frames')
    parser.add_argument('--clips', type=int, default=4, help='clips per batch')
    parser.add_argument('--frames', type=int, default=5, help='frames per clip')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--workers', type=int, default=1, help='workers of the data loader')
    parser.add_argument('--give-memory-back', action='store_true',
                        help="keep the allocator's default settings, unlike the commands, to see what that costs")
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


class Clips:
    """A data set of any number of packed clips without flow, in memory, so that workers only estimate flow."""

    def __init__(self, frames: int, size: tuple, length: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.frames = torch.randint(0, 256, (frames, 3, *size), dtype=torch.uint8, generator=generator)
        self.masks = torch.zeros(frames, 1, *size, dtype=torch.uint8)
        self.masks[..., size[0] // 4:size[0] // 2, size[1] // 4:size[1] // 2] = 1
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        if index >= self.length:
            raise IndexError(index)
        sample = VOSDataSample(metainfo=dict(sequence='benchmark', frame_ids=list(range(len(self.frames)))))
        sample.gt_masks = sample.reference_masks = self.masks
        return dict(inputs=self.frames.roll(index, -1), data_samples=sample)


class Step:
    """The parts of one training step, each callable on its own, and whole steps as the train loop takes them."""

    def __init__(self, model: torch.nn.Module, optim, data: dict) -> None:
        self.model, self.optim, self.steps = model, optim, FiniteSteps()
        self.frames = torch.stack(data['inputs']).to(model.data_preprocessor.device)
        self.flow()
        for sample, flow in zip(data['data_samples'], self.estimated, strict=True):
            sample.flow = flow
        self.preprocess(data)

    def flow(self) -> None:
        pairs = self.frames[:, :-1].flatten(0, 1), self.frames[:, 1:].flatten(0, 1)
        estimated = self.model.data_preprocessor.estimate_flow(*pairs)
        self.estimated = estimated.unflatten(0, (len(self.frames), -1))

    def preprocess(self, data: dict | None = None) -> None:
        self.data = self.data if data is None else data
        self.batch: ClipBatch = self.model.data_preprocessor(self.data, training=True)

    def bare_generator(self) -> None:
        prediction = self.model(self.batch)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(prediction.logits, self.batch.gt_masks)
        loss.backward()
        self.model.zero_grad()

    def predict(self) -> None:
        self.prediction = self.model(self.batch)

    def discriminator_losses(self) -> None:
        self.loss, self.terms = self.model.parse_losses(self.model.discriminator_losses(self.prediction, self.batch))

    def discriminator_step(self) -> None:
        self.discriminator_losses()
        self.optim['adversary'].update_params(self.loss)

    def generator_losses(self) -> None:
        self.loss, self.terms = self.model.parse_losses(self.model.generator_losses(self.prediction, self.batch))

    def backward(self) -> None:
        self.optim['generator'].backward(self.loss)

    def optimiser(self) -> None:
        self.optim['generator'].step()
        self.optim['generator'].zero_grad()

    def whole(self, data: dict) -> None:
        self.preprocess(data)
        self.steps.begin(self.model, 'the benchmark')
        self.predict()
        for part, losses in (('adversary', self.discriminator_losses), ('generator', self.generator_losses)):
            losses()
            self.steps.take(part, self.optim[part], self.loss, self.terms)


LABELS = dict(flow='flow', preprocess='batch: stack, normalise, references', predict='generator, forward',
              discriminator_step='discriminator, half-step', generator_losses='losses of G, adversary',
              backward='generator, backward', optimiser='generator, optimiser')


def waited_for(device: str) -> float:
    """Wait for the device and return the time."""
    if device != 'cpu':
        torch.cuda.synchronize()
    return time.perf_counter()


class Traffic(TorchDispatchMode):
    """Counts the bytes of the tensors that operators read and write; views and memory that is not filled are free."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **kwargs or {})
        views = any(value.alias_info and not value.alias_info.is_write for value in function._schema.returns)
        if not views and 'empty' not in function._schema.name:
            for value in tree_leaves((args, kwargs, found)):
                if isinstance(value, torch.Tensor):
                    stored = (size for size, stride in zip(value.shape, value.stride(), strict=True) if stride)
                    self.bytes += value.element_size() * math.prod(stored)
        return found


def arithmetic(step: Step, names: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return operations and bytes of each part in those of the generator's bare pass, from one more round."""
    counted = {}
    for name in names:
        with FlopCounterMode(display=False) as operations, Traffic() as traffic:
            getattr(step, name)()
        counted[name] = operations.get_total_flops(), traffic.bytes
    flops, size = counted['bare_generator']
    return {name: (part[0] / flops, part[1] / size) for name, part in counted.items()}


def with_a_loader(step: Step, args: argparse.Namespace, finish) -> float:
    """Return the seconds of a whole step including the wait for data. Workers start and fill their queues before."""
    loader = DataLoader(Clips(args.frames, args.size, args.clips * (STEPS + 1)), args.clips, num_workers=args.workers,
                        collate_fn=pseudo_collate)
    started = 0.0
    for data in DataStream(loader, finish):
        step.whole(data)
        if not started:
            step.steps.settle()
            started = waited_for(args.device)
    step.steps.settle()
    return (waited_for(args.device) - started) / STEPS


def main() -> None:
    args = parse_args()
    if not args.give_memory_back:
        keep_freed_memory()
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    MMLogger.get_current_instance().setLevel('WARNING')  # it would print the learning rate of every parameter
    if args.width is not None:
        cfg.model.width = args.width
    if args.downsample is not None:
        cfg.model.adversary.downsample = args.downsample
    model = MODELS.build(cfg.model).to(args.device).train()
    optim_cfg = {name: part for name, part in cfg.optim_wrapper.items() if name != 'constructor'}
    model.data_preprocessor.needs_flow = True
    clips = Clips(args.frames, args.size, args.clips)
    step = Step(model, GANOptimWrapperConstructor(optim_cfg)(model), pseudo_collate(list(clips)))

    seconds = {name: [] for name in ('bare_generator', *LABELS)}
    by_workers = model.data_preprocessor.in_workers
    loaded: dict = dict(step=[]) if by_workers is None else dict(step=[], workers=[])
    for round_ in range(args.rounds + 1):
        for name, times in seconds.items():
            started = time.perf_counter()
            getattr(step, name)()
            if round_ > 0:  # the first round is the warm-up
                times.append(waited_for(args.device) - started)
    for _ in range(max(1, args.rounds // 3)):  # alternating, so that a slower machine slows both
        for where, times in loaded.items():
            times.append(with_a_loader(step, args, by_workers if where == 'workers' else None))

    counted = arithmetic(step, seconds)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    bare, whole = medians.pop('bare_generator'), sum(medians[name] for name in LABELS)
    print(f'{args.clips} clips x {args.frames} frames {args.size[0]}x{args.size[1]}, width {cfg.model.width}, '
          f'D sees masks / {model.adversary.downsample}, {args.device}, {torch.get_num_threads()} threads')
    print(f'{"":36s} {"ms":>9s}   of G  of all  operations of G  bytes of G')

    def row(label: str, seconds: float, share: str = '', *least: float) -> None:
        numbers = ''.join(f'{one:17.2f}' for one in least)
        print(f'{label:36s} {1e3 * seconds:9.1f}   {seconds / bare:4.2f}  {share:>6s}{numbers}'.rstrip())

    row('generator, forward + backward', bare, '', 1, 1)
    for name, label in LABELS.items():
        row(label, medians[name], f'{medians[name] / whole:.0%}', *counted[name])
    row('sum of the parts', whole, '100%', *map(sum, zip(*(counted[name] for name in LABELS), strict=True)))
    row('the same without flow', whole - medians['flow'])
    for where, times in loaded.items():
        label = f'loaded steps, flow by {args.workers} workers' if where == 'workers' else 'loaded steps, flow in them'
        row(label, statistics.median(times))


if __name__ == '__main__':
    main()
