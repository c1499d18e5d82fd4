r"""Runs a race at equal time: our recipe, OSVOS's recipe on the same generator, and moving the mask along the flow.

    .venv/bin/python benchmarks/race.py --checkpoint work_dirs/tempseg_synthetic
    .venv/bin/python benchmarks/race.py --config configs/tempseg_davis_mobilenet.py \\
        --checkpoint work_dirs/tempseg_davis_mobilenet --cfg-options test_dataloader.dataset.split=dev \\
        --seconds 5 10 20 40 --crf --out work_dirs/race_dev
    .venv/bin/python benchmarks/race.py ... --resume                  # after a stop

`ours` is the test of the config, with the generator of the checkpoint and its online fine-tuning. `osvos` is one-shot
fine-tuning with cross-entropy alone. It uses the same generator without reference mask, from its initial weights (an
ImageNet trunk if the config has one) or from a parent that was trained in this way. It gets one given frame at a time,
turned, zoomed, flipped and re-coloured, with the optimiser of ours. `flow` moves the given mask along the flow, `copy`
leaves it in place. If the CRF is on, it refines the masks of all methods.

All methods run on a sequence before the next sequence starts, so that other work on the machine affects them equally.
A few steps measure the time of a step of each recipe on the sequence. The recipe then gets the number of steps that
just uses up its seconds, counted from the moment it receives the frames, and its schedule spans these steps. The
results also show the time that it really took. All masks are scored as in a test. race.csv, race.png and a record of
each run, from which --resume continues, are written below --out.
"""

import argparse
import math
import os
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from race_results import LEARNERS, RIVALS, draw, report, write_csv

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads disturb timings on shared cores

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

STEPS_TO_TIME = 8


def parse_args() -> argparse.Namespace:
    # Imported here, since the worker processes of the CRF import this file and need none of this.
    from tempseg_mm.settings.typed_text import ConfigOverrides

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_synthetic.py', help='config of our recipe')
    parser.add_argument('--checkpoint',
                        help="weights of our recipe, as in tempseg-test; default: the config's `checkpoint`")
    parser.add_argument('--osvos-checkpoint', default='none',
                        help="parent of OSVOS's recipe, trained without reference mask; default: initial weights")
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE', default={},
                        help='override settings of the config, such as test_dataloader.dataset.split=dev')
    parser.add_argument('--given', type=int, help='frames given to our recipe and to the simple rivals; default: '
                                                  'as in a test of the config')
    parser.add_argument('--rival-frames', type=int, default=1, help="frames given to OSVOS's recipe; default: 1")
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='use only these sequences of the split')
    parser.add_argument('--seconds', type=float, nargs='+', default=[5, 10, 20, 40],
                        help='seconds of fine-tuning per sequence; default: 5 10 20 40')
    parser.add_argument('--crf', action='store_true', help='refine the masks of all methods with the CRF of the config')
    parser.add_argument('--threads', type=int,
                        help='threads of torch and OpenCV, and processes of the CRF; default: their own. With 1, '
                             'recipes with one and with several clips per step race on equal terms')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=0, help='seed of initial weights and of fine-tuning; default: 0')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/race'), metavar='DIR')
    parser.add_argument('--resume', action='store_true',
                        help='keep the finished runs of an earlier race with the same settings')
    parser.add_argument('--per-sequence', action='store_true', help='also print the J of every sequence')
    args = parser.parse_args()
    if min(args.seconds) < 0 or min(args.given or 1, args.rival_frames, args.threads or 1) < 1:
        parser.error('--seconds must be at least 0, --given, --rival-frames and --threads at least 1')
    return args


@dataclass
class Pace:
    """Seconds that a recipe needs on a sequence: before the first step, and for each step."""
    before: float
    step: float

    def steps_in(self, seconds: float) -> int:
        """Return the number of steps whose last one ends just after these seconds; 0 for 0 seconds."""
        return max(1, math.ceil((seconds - self.before) / self.step)) if seconds > 0 else 0


@dataclass
class Learner:
    """A recipe: a ``Segmenter``, the number of first masks that it is given, and the settings that determine its
    results.
    """
    segmenter: Any
    given: int
    settings: dict

    def sequence(self, sequence):
        """Return the sequence with the masks that the recipe is given."""
        from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
        return AnnotatedSequence(sequence, self.given)

    def adapt(self, sequence, steps: int, **options) -> dict:
        """Fine-tune; return the adapted generators for ``Segmenter.walk``."""
        self.segmenter.finetuner.limit(steps)
        return self.segmenter.adapt(self.sequence(sequence), **options)

    def pace(self, sequence) -> Pace:
        """Measure how fast the recipe learns from the sequence."""
        times = [time.perf_counter()]
        self.adapt(sequence, STEPS_TO_TIME, on_step=lambda done, total: times.append(time.perf_counter()))
        step = (times[-1] - times[1]) / (STEPS_TO_TIME - 1)  # the first step takes longer
        return Pace(max(0.0, times[1] - times[0] - step), step)


def our_recipe(cfg, args: argparse.Namespace) -> Learner:
    from tempseg_mm.apis.inferencer.loading import load_segmenter
    from tempseg_mm.apis.testing import switch_on
    if args.crf:
        switch_on(cfg, 'crf', dict(type='CRFHook', crf=cfg.get('crf'), workers=args.threads))
    loaded = load_segmenter(cfg, args.checkpoint or cfg.get('checkpoint') or 'newest', args.device,
                            size=cfg.test_dataloader.dataset.get('size'), seed=args.seed)
    return Learner(loaded.segmenter, args.given or cfg.get('test_cfg', {}).get('num_given_frames', 2), loaded.settings)


def osvos_recipe(cfg, ours: Learner, args: argparse.Namespace) -> Learner:
    """Build OSVOS's recipe. The weight of its only loss, cross-entropy, does not matter to Adam."""
    from mmengine.config import Config

    from tempseg_mm.apis.inferencer.loading import load_segmenter
    from tempseg_mm.inference.online_finetuner import OnlineFinetuner
    from tempseg_mm.inference.tta import FINETUNE_AUGMENT

    model = cfg.model.to_dict()
    model['generator']['reference_mask'] = 'none'
    model.update(reach=None, window=None, adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    loaded = load_segmenter(Config(dict(model=model)), args.osvos_checkpoint, args.device, seed=args.seed,
                            size=ours.segmenter.size)
    own = ours.segmenter.finetuner
    loaded.segmenter.finetuner = OnlineFinetuner(optimizer=own.optimizer, mode=own.mode,
                                                 augment=FINETUNE_AUGMENT)
    loaded.segmenter.refiners = ours.segmenter.refiners
    return Learner(loaded.segmenter, args.rival_frames, loaded.settings)


class Track:
    """Runs all methods with the same clock, metric and refinement.

    Args:
        learners: method -> recipe; the simple rivals use the flow and the refinement of `ours`.
        evaluator: config of a ``VOSMetric``.
    """

    def __init__(self, learners: dict, evaluator: dict) -> None:
        from tempseg_mm.inference.baselines import CopyMask, FlowPropagation
        self.learners = learners
        self.evaluator = {**evaluator, 'measures': ('J', 'F')}
        method = learners['ours'].segmenter
        self.rivals = {name: replace(rival.segmenter(method), refiners=method.refiners)
                       for name, rival in dict(flow=FlowPropagation(), copy=CopyMask()).items()}
        self._paces: dict = {}

    def warm_up(self, sequence) -> None:
        """Run the first steps of the process and start the workers, without timing."""
        for learner in self.learners.values():
            learner.pace(sequence)
        self._watch(self.rivals['copy'], self.learners['ours'].sequence(sequence), None)

    def run(self, method: str, seconds: float, sequence) -> dict:
        """Run a method on a sequence; return J, F, steps, seconds of fine-tuning, and seconds in all."""
        if method in self.rivals:
            found = self._watch(self.rivals[method], self.learners['ours'].sequence(sequence), None)
            return dict(steps=0, finetuning=0.0, **found)
        learner = self.learners[method]
        if (method, sequence.name) not in self._paces:
            self._paces[method, sequence.name] = learner.pace(sequence)
        pace = self._paces[method, sequence.name]
        steps = pace.steps_in(seconds)
        adapted = learner.adapt(sequence, steps)
        spent = sum(found.seconds for found in adapted.values())
        if steps >= STEPS_TO_TIME:  # a better estimate for the longer runs that follow
            pace.step = (spent - pace.before) / steps
        found = self._watch(learner.segmenter, learner.sequence(sequence), adapted)
        found['total'] += spent
        return dict(steps=steps, finetuning=spent, **found)

    def close(self) -> None:
        self.learners['ours'].segmenter.close()

    def _watch(self, segmenter, sequence, adapted: dict | None) -> dict:
        """Return J, F and the seconds until the last mask, without the time for scoring."""
        from tempseg_mm.registry import METRICS
        metric, seconds, begin = METRICS.build(self.evaluator), 0.0, time.perf_counter()
        for _, frames in segmenter.walk(sequence, adapted or segmenter.adapt(sequence)):
            for frame in frames:
                seconds += time.perf_counter() - begin
                metric.process(None, [frame])
                begin = time.perf_counter()
        scores = metric.sequence_scores(sequence.name)
        if not scores:
            raise ValueError(f'sequence {sequence.name}: no annotated frame counts, so no method gets a score')
        return dict(J=scores['J_mean'], F=scores['F_mean'], total=seconds)


def race(track: Track, sequences: list, heats: list, records, out: Path) -> list[dict]:
    """Run every heat on every sequence that has no record yet; return one row per run, also for earlier runs."""
    from tempseg_mm.runtime.progress import Progress
    entries = [(method, seconds, sequence, f'{sequence.name}-{method}-{seconds:g}s')
               for sequence in sequences for method, seconds in heats]
    rows = {name: row for *_, name in entries if (row := records.read(name)) is not None}
    missing = [entry for entry in entries if entry[-1] not in rows]
    progress = Progress(len(missing), partial(print, file=sys.stderr, flush=True), unit='runs')
    if missing:
        track.warm_up(missing[0][2])
    for method, seconds, sequence, name in missing:
        found = track.run(method, seconds, sequence)
        rows[name] = dict(method=method, seconds=seconds, sequence=sequence.name, **found)
        records.write(name, rows[name])
        progress.step(f'{name}: J {found["J"]:.3f}, {found["steps"]} steps')
        write_csv(out / 'race.csv', list(rows.values()))
    return [rows[entry[-1]] for entry in entries]


def depends_on(cfg, learners: dict, args: argparse.Namespace) -> dict:
    """Return everything that determines a run, by name: settings as plain values, weights as state dicts."""
    dataset = cfg.test_dataloader.dataset.to_dict()
    dataset.pop('sequences', None)
    weights = {f'weights of {name}': learner.segmenter.model.generator.state_dict()
               for name, learner in learners.items()}
    return dict(weights, settings={name: learner.settings for name, learner in learners.items()},
                dataset=dataset, test_evaluator=cfg.test_evaluator.to_dict(),
                given=[learner.given for learner in learners.values()], crf=args.crf)


def main() -> None:
    args = parse_args()
    import cv2
    import torch

    from tempseg_mm.apis.inferencer.loading import find_config
    from tempseg_mm.registry import DATASETS
    from tempseg_mm.runtime.memory import keep_freed_memory
    from tempseg_mm.runtime.records import Records, fingerprints

    keep_freed_memory()
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    cfg = find_config(args.config, args.cfg_options)
    if args.sequences:
        cfg.test_dataloader.dataset.sequences = args.sequences
    data = DATASETS.build(cfg.test_dataloader.dataset)
    sequences = [data[i]['sequence'] for i in range(len(data))]
    ours = our_recipe(cfg, args)
    learners = dict(ours=ours, osvos=osvos_recipe(cfg, ours, args))
    records = Records(args.out / 'runs', fingerprints(depends_on(cfg, learners, args)))
    if args.resume:
        print(f'resuming after {records.check()} runs', file=sys.stderr)
    else:
        records.clear()
    heats = [(method, 0.0) for method in RIVALS] + [
        (method, seconds) for seconds in sorted(set(args.seconds)) for method in LEARNERS]
    track = Track(learners, cfg.test_evaluator.to_dict())
    try:
        rows = race(track, sequences, heats, records, args.out)
    finally:
        track.close()
    write_csv(args.out / 'race.csv', rows)
    draw(args.out / 'race.png', rows)
    print(f'{args.config}, {args.checkpoint or "its checkpoint"}: {len(sequences)} sequence(s), masks given: '
          f"{ours.given}, to OSVOS's recipe {args.rival_frames}; {torch.get_num_threads()} thread(s), {args.device}, "
          f'seed {args.seed}{", CRF" if args.crf else ""}\n\n{report(rows, args.per_sequence)}')


if __name__ == '__main__':
    main()
