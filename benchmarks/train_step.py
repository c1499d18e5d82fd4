"""How much a whole GAN step costs beside the generator's bare forward and backward pass, and where the rest goes.

    .venv/bin/python benchmarks/train_step.py                             # the configuration of tempseg_synthetic.py
    .venv/bin/python benchmarks/train_step.py --width 1 --size 120 214    # full width

Every figure is a median over rounds; the parts of a round run one after the other, so that a machine that slows down
slows all of them. Read the ratios, not the milliseconds.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other on a busy machine

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tempseg_mm.engine.optim import GANOptimWrapperConstructor
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.memory import keep_freed_memory
from tempseg_mm.structures import ClipBatch, VOSDataSample


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_synthetic.py', help='model and optimisers')
    parser.add_argument('--width', type=float, help="width multiplier; default: the config's")
    parser.add_argument('--size', type=int, nargs=2, default=(96, 168), metavar=('H', 'W'), help='of the frames')
    parser.add_argument('--clips', type=int, default=4, help='clips a batch')
    parser.add_argument('--frames', type=int, default=5, help='frames a clip')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--give-memory-back', action='store_true',
                        help='leave the allocator as it is by default, unlike the tools; to see what that costs')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


def loaded_clips(args: argparse.Namespace) -> dict:
    """A batch as the data loader gives it, without flow."""
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(args.frames, 1, *args.size, dtype=torch.uint8)
    masks[..., args.size[0] // 4:args.size[0] // 2, args.size[1] // 4:args.size[1] // 2] = 1
    samples = []
    for _ in range(args.clips):
        samples.append(VOSDataSample(metainfo=dict(sequence='benchmark', frame_ids=list(range(args.frames)))))
        samples[-1].gt_masks = samples[-1].reference_masks = masks
    frames = torch.randint(0, 256, (args.clips, args.frames, 3, *args.size), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(frames), data_samples=samples)


class Step:
    """The parts of one training step, each callable on its own."""

    def __init__(self, model: torch.nn.Module, optim, data: dict) -> None:
        self.model, self.optim, self.data = model, optim, data
        self.preprocess()

    def preprocess(self) -> None:
        self.batch: ClipBatch = self.model.data_preprocessor(self.data, training=True)

    def bare_generator(self) -> None:
        prediction = self.model(self.batch)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(prediction.logits, self.batch.gt_masks)
        loss.backward()
        self.model.zero_grad()

    def predict(self) -> None:
        self.prediction = self.model(self.batch)

    def discriminator_step(self) -> None:
        loss, _ = self.model.parse_losses(self.model.discriminator_losses(self.prediction, self.batch))
        self.optim['adversary'].update_params(loss)

    def generator_losses(self) -> None:
        self.loss, _ = self.model.parse_losses(self.model.generator_losses(self.prediction, self.batch))

    def generator_update(self) -> None:
        self.optim['generator'].update_params(self.loss)


PARTS = ('preprocess', 'predict', 'discriminator_step', 'generator_losses', 'generator_update')


def main() -> None:
    args = parse_args()
    if not args.give_memory_back:
        keep_freed_memory()
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    if args.width is not None:
        cfg.model.width = args.width
    model = MODELS.build(cfg.model).to(args.device).train()
    optim_cfg = {name: part for name, part in cfg.optim_wrapper.items() if name != 'constructor'}
    step = Step(model, GANOptimWrapperConstructor(optim_cfg)(model), loaded_clips(args))

    seconds = {name: [] for name in ('bare_generator', *PARTS)}
    for round_ in range(args.rounds + 1):
        for name, times in seconds.items():
            started = time.perf_counter()
            getattr(step, name)()
            if args.device != 'cpu':
                torch.cuda.synchronize()
            if round_ > 0:  # the first warms up
                times.append(time.perf_counter() - started)

    bare = statistics.median(seconds['bare_generator'])
    step_ratios = [sum(parts) / b for b, *parts in zip(seconds['bare_generator'], *(seconds[p] for p in PARTS))]
    print(f'{args.clips} clips x {args.frames} frames {args.size[0]}x{args.size[1]}, width {cfg.model.width}, '
          f'{args.device}, {torch.get_num_threads()} threads')
    print(f'{"generator, forward + backward":36s} {1e3 * bare:9.1f} ms   1.00')
    labels = dict(preprocess='data preprocessor (DIS flow)', predict='step: generator forward',
                  discriminator_step='step: discriminator', generator_losses='step: generator losses, adversary',
                  generator_update='step: backward, optimiser')
    for name in PARTS:
        median = statistics.median(seconds[name])
        print(f'{labels[name]:36s} {1e3 * median:9.1f} ms   {median / bare:.2f}')
    print(f'whole step: {1e3 * sum(statistics.median(seconds[name]) for name in PARTS):.1f} ms')
    print(f'whole step / bare generator: {statistics.median(step_ratios):.2f}')


if __name__ == '__main__':
    main()
