import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from PIL import Image

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.engine.loops.vos_test_loop import VOSTestLoop
from tempseg_mm.evaluation.mask_scoring import evaluate_masks
from tempseg_mm.evaluation.vos_metric import VOSMetric
from tempseg_mm.visualization.exporters import write_indexed_png


class Recording(Hook):
    """Writes down every stage it is called in."""
    priority = 'LOWEST'

    def __init__(self):
        self.stages = []

    def before_test(self, runner):
        self.stages.append('before_test')

    def before_sequence(self, runner, sequence, size):
        self.stages.append(('before', sequence.name, size))

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            self.stages.append(('refine', frame.frame_id))
            yield frame

    def after_frame(self, runner, frame):
        self.stages.append(('frame', frame.frame_id))

    def after_finetuning(self, runner, sequence, adapted):
        self.stages.append(('adapted', sorted(adapted)))

    def after_sequence(self, runner, sequence, size):
        self.stages.append(('after', sequence.name, size))

    def keep_sequence(self, runner, sequence):
        self.stages.append(('keep', sequence.name))

    def after_test_epoch(self, runner, metrics=None):
        self.stages.append(('metrics', sorted(metrics)))

    def after_test(self, runner):
        self.stages.append('after_test')


class Refine(Hook):
    """Replaces every probability by what a function makes of it."""

    def __init__(self, change, priority='NORMAL'):
        self.change, self._priority = change, priority

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            frame.probabilities = self.change(frame)
            yield frame


def perfect(frame):
    return frame.gt_labels.astype(np.float32)[None]


def saved_masks(runner, sequence):
    folder = runner.work_dir + f'/test/masks/{sequence.name}'
    return [np.asarray(Image.open(f'{folder}/{sequence.file_name(i)}.png')) for i in range(len(sequence))]


def test_stages(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.size': 32})
    recording = Recording()
    runner.register_hook(recording, priority='LOWEST')
    runner.test()
    frames = [stage for i in range(6) for stage in (('refine', i), ('frame', i))]
    walks = [stage for name in ('test_000', 'test_001') for stage in
             (('before', name, 32), ('adapted', [1]), *frames, ('after', name, 32), ('keep', name))]
    metrics = ['F_decay', 'F_mean', 'F_recall', 'J&F', 'J_decay', 'J_mean', 'J_recall', 'T_all', 'T_mean']
    assert recording.stages == ['before_test', *walks, ('metrics', metrics), 'after_test']


def test_refinement_changes_what_is_scored_and_what_is_saved(make_runner, sequence):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000']})
    runner.register_hook(Refine(perfect))
    assert runner.test()['J_mean'] == 1
    for i, mask in enumerate(saved_masks(runner, sequence)):
        np.testing.assert_array_equal(mask, sequence.mask(i))


def test_refinements_follow_one_another_in_order_of_priority(make_runner, sequence):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000']})
    runner.register_hook(Refine(lambda frame: 1 - frame.probabilities), priority='LOW')
    runner.register_hook(Refine(perfect), priority='HIGH')
    assert runner.test()['J_mean'] == 0
    np.testing.assert_array_equal(saved_masks(runner, sequence)[3], 1 - sequence.mask(3))


def test_a_refinement_may_look_ahead(make_runner):
    class Reversed(Hook):
        def refine_masks(self, segmenter, stream):
            yield from list(stream)

    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000']})
    recording = Recording()
    runner.register_hook(Reversed(), priority='NORMAL')
    runner.register_hook(recording, priority='HIGH')
    runner.test()
    assert [stage[0] for stage in recording.stages if stage[0] in ('refine', 'frame')] == ['refine'] * 6 + ['frame'] * 6


@pytest.mark.parametrize('given', [1, 2])
def test_number_of_given_frames_reaches_the_walk(make_runner, monkeypatch, given):
    seen = []
    monkeypatch.setattr('tempseg_mm.engine.loops.vos_test_loop.AnnotatedSequence',
                        lambda sequence, num_given: seen.append(num_given) or AnnotatedSequence(sequence, num_given))
    make_runner(**{'test_cfg.num_given_frames': given, 'test_dataloader.dataset.sequences': ['test_000']}).test()
    assert seen == [given]


@pytest.mark.parametrize('method, stage', [
    ('refine_mask', 'refine_masks'), ('after_frames', 'after_frame'), ('before_squence', 'before_sequence'),
    ('setup_segmenter', 'set_up_segmenter'), ('after_test_epoc', 'after_test_epoch')])
def test_a_name_that_is_nearly_a_stage_is_refused(make_runner, method, stage):
    runner = make_runner()
    runner.register_hook(type('Slip', (Hook,), {method: lambda self, *_, **__: None})())
    with pytest.raises(ValueError, match=f'Slip has a method {method}, .* did you mean the stage {stage}'):
        runner.test()


def test_the_order_of_hooks_is_said_with_the_stages_of_a_test(make_runner, monkeypatch):
    said = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: said.append(str(text)))
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000']})
    runner.register_hook(Refine(perfect))
    runner.test()
    text, = [line for line in said if line.startswith('Stages of a test')]
    assert 'set_up_segmenter: OnlineFinetuneHook' in text and 'refine_masks: Refine' in text
    assert 'keep_sequence: ResultHook' in text


def test_the_network_is_in_eval_mode_and_its_adversary_is_not_asked(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None})
    modes = []
    runner.model.generator.register_forward_pre_hook(
        lambda module, _: modes.append((module.training, torch.is_grad_enabled())))
    runner.model.adversary.register_forward_pre_hook(lambda *_: pytest.fail('the adversary was asked'))
    runner.test()
    assert modes == [(False, False)] * 5


def test_a_hook_may_recall_a_sequence_instead(make_runner):
    class Recall(Recording):
        def recall_sequence(self, runner, sequence):
            return sequence.name == 'test_000'

        def after_recall(self, runner, sequence):
            self.stages.append(('recalled', sequence.name))
    runner, recall = make_runner(**{'default_hooks.finetune': None}), Recall()
    runner.register_hook(recall, priority='LOWEST')
    runner.test()
    assert recall.stages[:3] == ['before_test', ('recalled', 'test_000'), ('before', 'test_001', None)]


def test_an_error_within_a_sequence_is_not_swallowed(make_runner):
    def fail(frame):
        raise ZeroDivisionError('in a refinement')
    runner = make_runner()
    runner.register_hook(Refine(fail))
    with pytest.raises(ZeroDivisionError, match='in a refinement'):
        runner.test()


def test_takes_a_built_evaluator_and_refuses_no_given_frame(make_runner):
    runner = make_runner()
    evaluator = runner.build_evaluator([VOSMetric()])
    loop = VOSTestLoop(runner, runner.test_dataloader, evaluator, num_given_frames=1)
    assert loop.evaluator is evaluator and evaluator.dataset_meta['dataset_name'] == 'synthetic'
    with pytest.raises(ValueError, match='num_given_frames must be at least 1, got 0'):
        VOSTestLoop(runner, runner.test_dataloader, evaluator, num_given_frames=0)


@pytest.fixture
def annotated(synthetic_root, tmp_path):
    """Options of a test whose annotations of ``test_000`` are changed by a function of frame and mask."""
    def annotate(change):
        root = tmp_path / 'data'
        shutil.copytree(synthetic_root, root)
        for i, path in enumerate(sorted((root / 'Annotations/32p/test_000').iterdir())):
            write_indexed_png(path, change(i, (np.asarray(Image.open(path)) > 0).astype(np.uint8)))
        return {'test_dataloader.dataset.data_root': str(root), 'default_hooks.finetune': None}
    return annotate


def second_from_frame_2(i, mask):
    mask[:16] *= 1 + (i >= 2)
    return mask


def scores_of(work_dir):
    return json.loads(Path(work_dir, 'test/scores.json').read_text())


def test_several_objects_that_are_scored_as_one_are_told_in_log_scores_and_page(make_runner, annotated, monkeypatch):
    said = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: said.append(str(text)))
    options = {**annotated(second_from_frame_2), 'default_hooks.report': dict(type='ReportHook')}
    runner = make_runner(**options)
    runner.register_hook(Refine(perfect))
    assert runner.test()['J_mean'] == 1
    notice, = scores_of(runner.work_dir)['notices']
    assert notice.startswith('1 of 2 sequence(s) hold several objects (test_000: 1, 2); as in DAVIS 2016')
    assert 'dataset.objects=apart' in notice
    assert '\n'.join(said).count(f'note: {notice}') == 1
    assert 'hold several objects' in Path(runner.work_dir, 'test/report.html').read_text()


def test_one_of_several_objects_can_be_followed(make_runner, annotated):
    def halves(i, mask):
        return mask * np.where(np.cumsum(mask).reshape(mask.shape) * 2 > mask.sum(), 2, 1).astype(np.uint8)
    options = {**annotated(halves), 'test_dataloader.dataset.sequences': ['test_000']}
    runner = make_runner(**options, **{'test_dataloader.dataset.objects': 2})
    seen = []
    runner.register_hook(Refine(lambda frame: seen.append(frame.gt_labels) or perfect(frame)))
    assert runner.test()['J_mean'] == 1 and scores_of(runner.work_dir)['notices'] == []
    whole = [np.asarray(Image.open(path)) for path in sorted(Path(
        options['test_dataloader.dataset.data_root'], 'Annotations/32p/test_000').iterdir())]
    np.testing.assert_array_equal(seen, [truth == 2 for truth in whole])
    with pytest.raises(ValueError, match='the mask of frame 0 has no object 3, so there is nothing to segment'):
        make_runner(**options, **{'test_dataloader.dataset.objects': 3}).test()


@pytest.mark.parametrize('num_given', [1, 2])
def test_objects_that_are_told_apart_are_followed_and_scored_one_by_one(make_runner, annotated, num_given):
    options = {**annotated(second_from_frame_2), 'test_dataloader.dataset.objects': 'apart',
               'test_cfg.num_given_frames': num_given, 'default_hooks.report': dict(type='ReportHook')}
    runner = make_runner(**options)
    stages = Recording()
    runner.register_hook(stages)
    metrics = runner.test()
    assert [ids for stage, ids in (entry for entry in stages.stages if entry[0] == 'adapted')] == [[1, 2], [1]]
    out, data = Path(runner.work_dir, 'test'), Path(options['test_dataloader.dataset.data_root'])
    on_disk = evaluate_masks(data / 'Annotations/32p', out / 'masks', split=['test_000', 'test_001'])
    on_disk.to_json(out / 'on_disk.json')
    assert scores_of(runner.work_dir)['sequences'] == json.loads((out / 'on_disk.json').read_text())['sequences']
    assert metrics == pytest.approx(on_disk.scalars(), nan_ok=True) and on_disk.objects('test_000') == ['1', '2']
    assert on_disk.sequences['test_000']['J']['objects']['2']['frames'] == [3, 4]
    masks, truth = ([np.asarray(Image.open(folder / f'test_000/0000{i}.png')) for i in range(6)]
                    for folder in (out / 'masks', data / 'Annotations/32p'))
    assert [2 in mask for mask in masks[:3]] == [False, False, True]
    np.testing.assert_array_equal(masks[2] == 2, truth[2] == 2)  # its first mask is given, and the answer
    assert '"objects":[{"name":"1"' in (out / 'report.html').read_text()


def test_what_is_void_is_no_object_and_not_scored(make_runner, annotated):
    def with_void(i, mask):
        mask[:, :24] = 255
        return mask
    runner = make_runner(**annotated(with_void), **{'test_dataloader.dataset.sequences': ['test_000']})

    def wrong_where_void(frame):
        return np.where(frame.gt_void, 1.0, perfect(frame)).astype(np.float32)
    runner.register_hook(Refine(wrong_where_void))
    metrics = runner.test()
    assert metrics['J_mean'] == metrics['F_mean'] == 1 and scores_of(runner.work_dir)['notices'] == []
