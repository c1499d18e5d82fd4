import json
import logging
import re
import time

import pytest
from mmengine.config import ConfigDict
from mmengine.hooks import Hook

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.registry import HOOKS


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(encoding='utf-8'), re.DOTALL).group(1))


@pytest.fixture
def seen():
    """J of every frame that came by, by sequence: what a hook between network and report sees."""
    found = {}

    @HOOKS.register_module(name='SeenHook')
    class SeenHook(Hook):
        priority = 'HIGH'

        def before_sequence(self, runner, sequence, size):
            time.sleep(0.2)  # as fine-tuning does

        def after_frame(self, runner, frame):
            if not frame.given:
                found.setdefault(frame.sequence, {})[frame.frame_id] = region_similarity(frame.labels, frame.gt_labels)
    yield found
    HOOKS.module_dict.pop('SeenHook')


def test_a_page_of_the_test(make_runner, seen, tmp_path):
    runner = make_runner(custom_hooks=[dict(type='SeenHook')], **{
        'default_hooks.finetune': None,
        'default_hooks.report': dict(type='ReportHook', num_frames=2),
        'default_hooks.overlays': dict(type='OverlayHook', out_dir=str(tmp_path / 'work/show me'))})
    metrics = runner.test()
    data = data_of(tmp_path / 'work/test/report.html')
    assert [row['name'] for row in data['rows']] == ['test_000', 'test_001']
    assert data['columns'][0] == 'J_mean' and data['means']['J_mean'] == pytest.approx(metrics['J_mean'])
    for row in data['rows']:
        per_frame = seen[row['name']]
        assert row['frames'] == 6 and row['seconds'] > 0.2
        worst = [thumbnail['frame'] for thumbnail in row['thumbnails']]
        scored = {i: per_frame[i] for i in range(1, 5)}  # not the last, however bad
        assert len(worst) == 2 and worst[0] in [i for i in scored if scored[i] == min(scored.values())]
        assert [thumbnail['score'] for thumbnail in row['thumbnails']] == [per_frame[i] for i in worst]
        assert row['told'] == [] and row['curves'][0]['label'] == 'J'  # first and last frame do not count
        assert row['curves'][0]['values'] == pytest.approx([None, *(per_frame[i] for i in range(1, 5)), None])
        assert row['links'] == {'overlay': f'../show%20me/{row["name"]}.webm',
                                'contact sheet': f'../show%20me/{row["name"]}.png'}
        assert (tmp_path / 'work/test' / row['links']['overlay'].replace('%20', ' ')).is_file()
    tables = {table['title']: dict(table['rows']) for table in data['tables']}
    assert tables['Settings']['weights'].startswith('none') and tables['Settings']['seed'] == '0'
    assert tables['Settings']['hooks.custom_0.type'] == 'SeenHook' and 'hooks.logger.type' not in tables['Settings']
    assert tables['Versions'].keys() >= {'torch', 'numpy'}


def test_only_what_is_scored_can_be_worst(make_runner, seen, tmp_path):
    """The last frame is all wrong, and the protocol leaves it out; frame 0 is given."""
    @HOOKS.register_module(name='SpoilHook', force=True)
    class SpoilHook(Hook):
        def refine_masks(self, segmenter, stream):
            for frame in stream:
                if frame.frame_id == frame.num_frames - 1:
                    frame.probabilities = 1 - frame.gt_labels[None].astype('float32')
                yield frame
    options = {'default_hooks.report': dict(type='ReportHook', num_frames=6), 'default_hooks.finetune': None,
               'custom_hooks': [dict(type='SpoilHook'), dict(type='SeenHook')]}
    make_runner(**options).test()
    HOOKS.module_dict.pop('SpoilHook')
    assert all(seen[name][5] == 0 for name in ('test_000', 'test_001'))
    shown = [thumbnail['frame'] for row in data_of(tmp_path / 'work/test/report.html')['rows']
             for thumbnail in row['thumbnails']]
    assert shown and set(shown) <= {1, 2, 3, 4}


def test_the_page_tells_what_fine_tuning_gained(make_runner, tmp_path):
    make_runner(**{'default_hooks.report': dict(type='ReportHook')}).test()
    for row in data_of(tmp_path / 'work/test/report.html')['rows']:
        sentence, = row['told']
        assert sentence.startswith('fine-tuned on 2 masks, 1 steps in ') and ' IoU on them ' in sentence


def test_rows_survive_a_stop(make_runner, sequence):
    """As through the JSON of a record."""
    first, second = (HOOKS.build(dict(type='ReportHook')) for _ in range(2))
    runner = make_runner()
    for hook in (first, second):
        hook.before_test(runner)
        hook.before_test_epoch(runner)
    first.before_sequence(runner, sequence, None)
    first.after_sequence(runner, sequence, None)
    state = json.loads(json.dumps(first.sequence_state(sequence.name), allow_nan=False))
    second.restore_sequence(sequence.name, state)
    assert json.dumps(second.sequence_state(sequence.name)) == json.dumps(first.sequence_state(sequence.name))
    assert state['num_frames'] == 6 and state['seconds'] > 0


def test_a_test_without_annotations_has_a_page_too(make_runner, tmp_path, sequence):
    class Metric:
        class scores:
            protocol, sequences = {}, {}
            scalars = staticmethod(dict)

    class Runner:
        work_dir, hooks, seed, experiment_name = str(tmp_path), [], 0, 'tiny_2026_1'
        cfg = ConfigDict(filename='tiny.py')
        logger = logging.getLogger('test')
        test_loop = type('Loop', (), dict(
            evaluator=type('Evaluator', (), dict(metrics=[Metric])), pictures={}, written={},
            out_dir=f'{tmp_path}/out'))
    hook = HOOKS.build(dict(type='ReportHook'))
    hook.before_test(Runner)
    hook.before_test_epoch(Runner)
    hook.before_sequence(Runner, sequence, None)
    hook.after_sequence(Runner, sequence, None)
    hook.after_test_epoch(Runner, {})
    assert Runner.test_loop.written == dict(page=f'{tmp_path}/out/report.html')
    data = data_of(tmp_path / 'out/report.html')
    assert data['title'] == 'Test of tiny' and data['columns'] == []
    assert data['notices'] == ['No annotated frame was scored, so there are no scores.']
