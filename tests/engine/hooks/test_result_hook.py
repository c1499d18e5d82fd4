import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.engine.hooks.result_hook import ResultHook
from tempseg_mm.runtime.differences import ResumeError

BASELINES = dict(type='BaselineHook', baselines=dict(copy=dict(type='CopyMask'), raw=dict(type='UntrainedGenerator')))


def iou(mask, gt_mask):
    union = np.logical_or(mask, gt_mask).sum()
    return np.logical_and(mask, gt_mask).sum() / union if union else 1.0


def test_masks_and_scores_on_disk(make_runner, synthetic_root, tmp_path):
    out = tmp_path / 'out'
    runner = make_runner(**{'test_dataloader.dataset.size': 40, 'test_cfg.out_dir': str(out)})
    metrics = runner.test()

    region = {}  # J once more, from what lies on disk
    dataset = VOSDataset(synthetic_root, 'test', resolution='32p', test_mode=True)
    for item in dataset:
        sequence, values = item['sequence'], []
        folder = out / 'masks' / sequence.name
        assert sorted(path.name for path in folder.iterdir()) == [f'{i:05d}.png' for i in range(6)]
        for i in range(6):
            image = Image.open(folder / f'{i:05d}.png')
            assert image.mode == 'P' and image.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
            mask = np.asarray(image)
            assert mask.shape == (32, 48) and set(np.unique(mask)) <= {0, 1}
            values.append(iou(mask, sequence.mask(i)))
        assert values[0] == 1  # the given mask as it was
        region[sequence.name] = values[1:-1]

    scores = json.loads((out / 'scores.json').read_text())
    assert set(scores['sequences']) == set(region) == {'test_000', 'test_001'}
    for name, values in region.items():
        assert scores['sequences'][name]['J']['per_frame'] == pytest.approx(values)
        assert scores['sequences'][name]['J']['frames'] == [1, 2, 3, 4]
    assert metrics['J_mean'] == pytest.approx(np.mean([np.mean(values) for values in region.values()]))
    assert scores['protocol']['given_frames'] == 2
    assert scores['overall']['J']['mean'] == pytest.approx(metrics['J_mean'])
    rows = {row['sequence']: row for row in csv.DictReader((out / 'scores.csv').open())}
    assert float(rows['overall']['J_mean']) == pytest.approx(metrics['J_mean'], abs=1e-6)
    assert float(rows['test_001']['F_mean']) == pytest.approx(scores['sequences']['test_001']['F']['mean'], abs=1e-6)


def test_default_folder_is_in_the_work_dir(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_001'], 'default_hooks.finetune': None})
    runner.test()
    folder = Path(runner.work_dir) / 'test'
    assert sorted(path.name for path in folder.iterdir()) == [
        'masks', 'scores.csv', 'scores.json', 'sequences']


def test_it_knows_whether_all_masks_are_there(make_runner, sequence):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None})
    hook, = [hook for hook in runner.hooks if isinstance(hook, ResultHook)]
    hook.before_test(runner)
    assert not hook._has_masks(sequence)
    runner.test()
    assert hook._has_masks(sequence)
    (Path(hook.out_dir) / 'masks/test_000/00003.png').unlink()
    assert not hook._has_masks(sequence)


# A test that was stopped and resumed gives what one without a stop gives: numbers, masks, baselines.


class Watch(Hook):
    """Which sequences were walked and which recalled; may stop the test within one.

    Masks are cut at the median, so that those of this hardly trained network are not empty and depend on every weight.
    """
    priority = 'VERY_LOW'

    def __init__(self, stop_in=None):
        self.stop_in, self.walked, self.recalled = stop_in, [], []

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            if not frame.given:
                frame.probabilities = (frame.probabilities > np.median(frame.probabilities)).astype(np.float32)
            yield frame

    def after_frame(self, runner, frame):
        if frame.sequence == self.stop_in and frame.frame_id == 3:
            raise KeyboardInterrupt

    def before_sequence(self, runner, sequence, size):
        self.walked.append(sequence.name)

    def after_recall(self, runner, sequence):
        self.recalled.append(sequence.name)


@pytest.fixture
def test(tiny_config, tmp_path):
    """Runs a test into a folder of that name; gives what it found, said, and walked."""
    def run(name, *, resume=False, stop_in=None, hooks=(BASELINES,), **options):
        cfg = tiny_config(**{'test_cfg.out_dir': str(tmp_path / name), 'log_level': 'INFO', **options})
        cfg.custom_hooks = list(hooks)
        cfg.default_hooks.results.resume = resume
        runner = Runner.from_cfg(cfg)
        watch = Watch(stop_in)
        runner.register_hook(watch)
        try:
            runner.test()
        except KeyboardInterrupt:
            pass
        return watch
    return run




def found(folder: Path) -> dict:
    """Every file a test left, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*.*'))}


def test_resuming_gives_what_a_run_without_a_stop_gives(test, tmp_path, monkeypatch, on_cpu):
    tables = []
    monkeypatch.setattr('tempseg_mm.engine.hooks.baseline_hook.comparison_table',
                        lambda rows: tables.append(repr(list(rows.values()))) or '')
    assert test('whole').walked == ['test_000', 'test_001']

    stopped = test('cut', stop_in='test_001')
    assert stopped.walked == ['test_000', 'test_001'] and not (tmp_path / 'cut/scores.json').exists()
    assert [path.name for path in (tmp_path / 'cut/sequences').iterdir()] == ['test_000.json']
    rest = test('cut', resume=True)
    assert rest.walked == ['test_001'] and rest.recalled == ['test_000']
    assert found(tmp_path / 'cut') == found(tmp_path / 'whole')
    assert tables[0] == tables[1] and tables[0].count('J_mean') == 3
    assert 0.01 < json.loads((tmp_path / 'whole/scores.json').read_text())['overall']['J']['mean'] < 0.99

    again = test('cut', resume=True)  # all is finished
    assert again.walked == [] and tables[2] == tables[0]
    assert found(tmp_path / 'cut') == found(tmp_path / 'whole')


def test_without_resume_nothing_of_an_earlier_run_is_used(test, tmp_path):
    test('out', hooks=())
    (tmp_path / 'out/sequences/gone.json').write_text('of a sequence that this test does not have')
    again = test('out', hooks=(), stop_in='test_000')
    assert again.walked == ['test_000'] and list((tmp_path / 'out/sequences').iterdir()) == []


def test_what_cannot_be_used_is_done_again_or_refused(test, tmp_path, tiny_config):
    test('out', hooks=())
    shutil.rmtree(tmp_path / 'out/masks/test_000')
    assert test('out', hooks=(), resume=True).walked == ['test_000']  # its masks are wanted

    path = tmp_path / 'out/sequences/test_001.json'
    record = json.loads(path.read_text())
    record['found']['states'].pop('VOSMetric 0')
    path.write_text(json.dumps(record))
    assert test('out', hooks=(), resume=True).walked == ['test_001']  # its frames are wanted

    for options, differing in [({'randomness.seed': 7}, 'weights, randomness'),  # no checkpoint: drawn with the seed
                               ({'test_evaluator.bound_th': 0.02}, 'test_evaluator'),
                               ({'test_dataloader.dataset.size': (16, 32)}, 'dataset')]:
        with pytest.raises(ValueError, match=f'was made with other {differing} than this test'):
            test('out', hooks=(), resume=True, **options)
    for options in (dict(hooks=(BASELINES,)), {'default_hooks.finetune.finetuner.steps': 2},
                    {'default_hooks.tta': dict(type='TTAHook')}, {'default_hooks.crf': dict(type='CRFHook')}):
        with pytest.raises(ValueError, match='with other hooks than this test'):
            test('out', resume=True, **{'hooks': (), **options})
    assert test('out', hooks=(), resume=True, **{'test_dataloader.dataset.sequences': ['test_001']}).walked == []


@pytest.mark.parametrize('kind, file, words', [
    ('JPEGImages', '00003.jpg', '00003.jpg is changed'), ('Annotations', '00004.png', '00004.png is changed'),
    ('Annotations', '00005.png', '00005.png is missing now')])
def test_files_that_have_changed_under_their_names_are_refused(test, tmp_path, synthetic_root, kind, file, words):
    root = shutil.copytree(synthetic_root, tmp_path / 'data')
    path = root / kind / '32p/test_000' / file
    options = {'test_dataloader.dataset': dict(_delete_=True, type='DAVISDataset', data_root=str(root), split='test',
                                               resolution='32p', test_mode=True), 'hooks': ()}
    test('out', **options)
    content = path.read_bytes()
    path.unlink()
    if 'missing' not in words:
        shutil.copy(path.with_name(path.name.replace('4', '1').replace('3', '1')), path)
    with pytest.raises(ResumeError, match=rf'the data of test_000 are not those that an earlier run tested: .*{words}'
                                          r'\. .*Test without --resume.* delete test_000\.json in .*sequences'):
        test('out', resume=True, **options)
    path.write_bytes(content)  # its time is another one, which does not matter
    assert test('out', resume=True, **options).walked == []


def test_a_metric_that_keeps_nothing_by_sequence_is_named(test):
    with pytest.raises(ValueError, match='DumpResults stores nothing by sequence.*without --resume'):
        test('out', resume=True, **{'test_evaluator': dict(type='DumpResults', out_file_path='a.pkl')})
