"""Compares one network per object with one network for all objects, and measures what other objects cost an object.

    .venv/bin/python benchmarks/objects.py --checkpoint work_dirs/tempseg_synthetic

The benchmark renders sequences with two numbered objects and follows them from the first mask in four ways, with the
same steps and random draws: each object alone; both with one network each, merged (as ``tempseg-segment`` does); and
both with one network that is fine-tuned on both in turn, with the steps of one object, and with the steps of two. J is
the mean over the frames after the first, at the original size. Seconds are for the whole sequence.
"""

import argparse
import copy
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

WAYS = ('alone', 'a network each', 'one network', 'one network, twice the steps')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/tempseg_synthetic.py', help='config of the network')
    parser.add_argument('--checkpoint', help='weights of the network; default: from scratch')
    parser.add_argument('--sequences', type=int, default=6, help='number of sequences to render')
    parser.add_argument('--frames', type=int, default=24, help='frames per sequence')
    parser.add_argument('--seed', type=int, default=1, help='seed of the scenes')
    parser.add_argument('--occluders', type=int, default=1,
                        help='number of shapes that pass in front of the first object')
    parser.add_argument('--similarity', type=float, default=0.7, help='similarity of the objects, 0 to 1')
    return parser.parse_args()


def adapted_to_all(segmenter, objects: list, steps: int):
    """Fine-tune one generator on the clips of all objects in turn."""
    from tempseg_mm.inference.online_finetuner import OnlineFinetuner

    class InTurn(OnlineFinetuner):
        def _runs(self, frame_ids, **how):
            return [(given, run) for given in objects for run in super(InTurn, self)._runs(given.frame_ids, **how)]

        def _clip(self, model, first, indices, size):
            given, run = indices
            return super()._clip(model, given, run, size)
    finetuner = copy.copy(segmenter.finetuner)
    finetuner.__class__ = InTurn
    finetuner.limit(steps)
    return finetuner.adapt(segmenter.model, objects[0], size=segmenter.size)


def follow(segmenter, adapted: dict, given) -> dict:
    """Return the mean J of each object that has a generator. Masks cannot overlap, since a pixel has one label."""
    import numpy as np

    from tempseg_mm.evaluation.functional.region import region_similarity
    scores = {object_id: [] for object_id in adapted}
    for frame in dict(segmenter.walk(given, adapted))['forwards']:
        if frame.answered:
            for object_id, values in scores.items():
                values.append(region_similarity(frame.labels == object_id, frame.gt_labels == object_id))
    return {object_id: float(np.mean(values)) for object_id, values in scores.items()}


def given_first(sequence, object_ids=None):
    """Return the sequence with the mask of its first frame given, for these objects only."""
    import numpy as np

    from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
    from tempseg_mm.sources.given_sequence import GivenSequence

    class GivenFirst(AnnotatedSequence):
        object_ids = GivenSequence.object_ids

        def _given(self, i):
            labels = sequence.labels(i).ids
            return labels if object_ids is None else np.where(np.isin(labels, object_ids), labels, 0).astype(np.uint8)

        def truth(self, frame):
            return sequence.labels(frame.frame_id)
    return GivenFirst(sequence, 1)


def measure(segmenter, sequence) -> dict:
    """Map each way to (J by object, seconds)."""
    from tempseg_mm.inference.given_object import GivenObject
    both, found = given_first(sequence), {}
    objects = [GivenObject(both, object_id) for object_id in both.object_ids]
    started = time.perf_counter()
    own = segmenter.adapt(both)
    each = time.perf_counter() - started
    alone = {}
    for object_id, adapted in own.items():
        alone.update(follow(segmenter, {object_id: adapted}, given_first(sequence, [object_id])))
    found[WAYS[0]] = alone, time.perf_counter() - started
    started = time.perf_counter() - each
    found[WAYS[1]] = follow(segmenter, own, both), time.perf_counter() - started
    for way, factor in zip(WAYS[2:], (1, len(objects))):
        started = time.perf_counter()
        shared = adapted_to_all(segmenter, objects, factor * segmenter.finetuner.steps)
        found[way] = follow(segmenter, dict.fromkeys(own, shared), both), time.perf_counter() - started
    return found


def main() -> None:
    args = parse_args()
    from statistics import mean

    from tempseg_mm.apis.inferencer.loading import find_config, load_segmenter
    from tempseg_mm.datasets.davis import DAVISDataset
    from tempseg_mm.datasets.synthetic.dataset import write_davis_layout
    from tempseg_mm.datasets.synthetic.draw import SceneParams
    from tempseg_mm.runtime.memory import keep_freed_memory

    keep_freed_memory()
    segmenter = load_segmenter(find_config(args.config), args.checkpoint, None).segmenter
    with tempfile.TemporaryDirectory() as folder:
        scene = SceneParams(num_frames=args.frames, occluders=args.occluders, similarity=args.similarity)
        write_davis_layout(f'{folder}/set', scene=scene, seed=args.seed, num_sequences=dict(test=args.sequences),
                           all_objects=True)
        data = DAVISDataset(f'{folder}/set', 'test', resolution=f'{scene.height}p', test_mode=True)
        results = [measure(segmenter, item['sequence']) for item in data]
    objects = [(k, object_id) for k, found in enumerate(results) for object_id in found[WAYS[0]][0]]
    print(f'{len(objects)} objects in {len(results)} sequences, {segmenter.finetuner.steps} steps each')
    print(f'{"":30} {"J":>6} {"largest loss beside alone":>26} {"s / sequence":>13}')
    for way in WAYS:
        scores = [results[k][way][0][object_id] for k, object_id in objects]
        lost = max(results[k][WAYS[0]][0][object_id] - results[k][way][0][object_id] for k, object_id in objects)
        print(f'{way:30} {mean(scores):6.3f} {lost:26.3f} {mean(found[way][1] for found in results):13.1f}')


if __name__ == '__main__':
    main()
