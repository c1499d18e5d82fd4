import json

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from tempseg_mm.evaluation.functional.boundary import contour_accuracy
from tempseg_mm.evaluation.functional.temporal import temporal_instability
from tempseg_mm.evaluation.mask_scoring import evaluate_masks
from tempseg_mm.evaluation.vos_metric import VOSMetric
from tempseg_mm.registry import METRICS
from tempseg_mm.structures import SegmentedFrame
from tempseg_mm.visualization.exporters import write_indexed_png

SHAPE = (12, 16)


def bar(width, value=1.0, dtype=np.float32):
    mask = np.zeros(SHAPE, dtype)
    mask[:, :width] = value
    return mask


def prediction(frame_id, pred_width, gt_width=8, sequence='camel', num_frames=5):
    gt_mask = None if gt_width is None else bar(gt_width, 1, np.uint8)
    return SegmentedFrame(sequence, frame_id, f'{frame_id:05d}', np.zeros((*SHAPE, 3), np.uint8), num_frames=num_frames,
                          labels=bar(pred_width, 1, np.uint8), gt_labels=gt_mask)


def run(frames, **kwargs):
    metric = VOSMetric(**kwargs)
    for frame in frames:
        metric.process(None, [frame])
    return metric, metric.evaluate(size=len(frames))


def test_it_is_in_the_registry():
    assert isinstance(METRICS.build(dict(type='VOSMetric', prefix='davis')), VOSMetric)


def test_scores_by_hand_without_first_and_last_frame():
    metric, scores = run([prediction(i, width) for i, width in enumerate([8, 4, 8, 2, 0])])
    assert metric.scores.sequences['camel']['J']['frames'] == [1, 2, 3]
    assert metric.scores.sequences['camel']['J']['per_frame'] == pytest.approx([0.5, 1.0, 0.25])
    assert scores['J_mean'] == pytest.approx(1.75 / 3)
    assert scores['J_recall'] == pytest.approx(1 / 3)
    assert scores['J_decay'] == pytest.approx(0.75 - 0.25)  # frames 1 and 2 less frame 3
    expected_f = [contour_accuracy(bar(w, 1, np.uint8), bar(8, 1, np.uint8)) for w in (4, 8, 2)]
    assert scores['F_mean'] == pytest.approx(np.mean(expected_f))
    assert scores['J&F'] == pytest.approx((scores['J_mean'] + scores['F_mean']) / 2)


def test_the_ends_count_where_the_protocol_says_so():
    frames = [prediction(i, 8) for i in range(5)]
    metric, _ = run(frames, skip_first=False, skip_last=False)
    assert metric.scores.sequences['camel']['J']['frames'] == [0, 1, 2, 3, 4]
    assert metric.scores.protocol == dict(protocol='custom', frames='all', bound_th=0.008, recall_above=0.5)


def test_the_table_states_the_protocol():
    metric, _ = run([prediction(1, 8)])
    assert metric.scores.protocol['protocol'] == 'DAVIS 2016'
    assert metric.scores.protocol['frames'] == 'first and last left out'


def test_frames_without_annotation_are_passed_over():
    metric, _ = run([prediction(1, 8), prediction(2, 4, gt_width=None), prediction(3, 4)])
    assert metric.scores.sequences['camel']['J']['frames'] == [1, 3]


def test_sequences_weigh_alike_however_long():
    frames = [prediction(i, 8, sequence='long', num_frames=9) for i in range(1, 8)] + [prediction(1, 4)]
    _, scores = run(frames)
    assert scores['J_mean'] == pytest.approx((1.0 + 0.5) / 2)


def test_a_padded_duplicate_counts_once():
    frames = [prediction(0, 8), prediction(1, 8), prediction(2, 4)]
    assert run(frames)[1] == run([*frames, *frames])[1]


@pytest.mark.parametrize('size', [0, 1, 1000])
def test_no_frame_is_lost_however_the_data_set_is_counted(size):
    metric = VOSMetric()
    metric.process(None, [prediction(i, 8) for i in range(5)])
    metric.evaluate(size=size)
    assert len(metric.scores.sequences['camel']['J']['frames']) == 3


def test_results_of_several_processes_are_joined():
    metric = VOSMetric()
    metric.process(None, [prediction(i, 8) for i in (0, 1, 2, 3)])
    one, *others = metric.results
    assert metric.compute_metrics([[one], others]) == metric.compute_metrics([one, *others])
    assert metric.scores.sequences['camel']['J']['frames'] == [1, 2, 3]


def test_it_keeps_numbers_and_no_mask():
    metric = VOSMetric()
    metric.process(None, [prediction(0, 8), prediction(1, 4)])
    assert metric.results[0].keys() == {'sequence', 'frame_id', 'J', 'F', 'T'}
    assert type(metric.results[0]['J']) is type(metric.results[0]['T']) is float
    metric.process(None, [prediction(i, 4) for i in (2, 3, 4)])
    assert metric._chains == {}  # the sequence is over


def test_sequence_scores_speak_of_one_sequence():
    metric = VOSMetric()
    metric.process(None, [prediction(1, 8), prediction(1, 4, sequence='other')])
    assert metric.sequence_scores('other')['J_mean'] == 0.5
    assert metric.sequence_scores('without annotation') == {}


def test_a_second_evaluation_starts_from_nothing():
    metric, _ = run([prediction(1, 4)])
    metric.process(None, [prediction(1, 8)])
    assert metric.evaluate(size=1)['J_mean'] == 1


def test_nothing_to_score_gives_no_numbers():
    metric, scores = run([prediction(0, 8), prediction(4, 8), prediction(2, 8, gt_width=None)])
    assert scores == {}
    assert metric.scores.sequences == {}


def test_t_runs_from_the_first_annotation_to_the_last_frame_but_one():
    widths = [9, 6, 11, 4, 2]  # of the predictions; the annotation is 8 wide
    metric, scores = run([prediction(i, width) for i, width in enumerate(widths)])
    expected = temporal_instability([bar(w, 1, np.uint8) for w in (8, 6, 11, 4)])
    assert metric.scores.sequences['camel']['T']['frames'] == [1, 2, 3]
    assert metric.scores.sequences['camel']['T']['per_frame'] == expected.per_pair
    assert scores['T_mean'] == scores['T_all'] == expected.mean > 0


def test_t_takes_sequences_mixed_and_frames_without_annotation():
    frames = [prediction(i, width) for i, width in enumerate([9, 6, 11, 4, 2])]
    frames[2].gt_mask = None
    others = [prediction(i, 5, sequence='other') for i in range(5)]
    mixed = [frame for both in zip(frames, others, strict=True) for frame in both]
    t = run(mixed)[0].scores.sequences['camel']['T']
    assert t['per_frame'] == run(frames)[0].scores.sequences['camel']['T']['per_frame'] and len(t['per_frame']) == 3


def test_sequences_of_two_processes_give_what_one_gives():
    sequences = [[prediction(i, width, sequence=name) for i, width in enumerate([8, 6, 3, 4, 5])]
                 for name in ('camel', 'cows', 'dog')]
    first, second, together = VOSMetric(), VOSMetric(), VOSMetric()
    first.process(None, sequences[0] + sequences[2])
    second.process(None, sequences[1])
    together.process(None, sequences[0] + sequences[1] + sequences[2])
    assert together.compute_metrics([first.results, second.results]) == together.compute_metrics(together.results)
    assert together.scores.overall['T']['sequences'] == ['camel', 'cows']  # the list leaves out dog


def test_pairs_out_of_order_are_left_out_and_named(monkeypatch):
    said = []
    monkeypatch.setattr('tempseg_mm.evaluation.vos_metric.print_log', lambda text, **_: said.append(text))
    metric, _ = run([prediction(i, 8) for i in (0, 1, 3)])
    assert metric.scores.sequences['camel']['T']['frames'] == [1]
    assert len(said) == 1 and 'T lacks pairs of camel' in said[0]
    run([prediction(i, 8) for i in range(5)])
    assert len(said) == 1


@pytest.mark.parametrize('measures, names', [
    (['J'], {'J_mean', 'J_recall', 'J_decay'}), (('T',), {'T_mean', 'T_all'}),
    (('T', 'F'), {'F_mean', 'F_recall', 'F_decay', 'T_mean', 'T_all'})])
def test_measures_can_be_chosen(measures, names):
    frames = [prediction(i, 8 - i) for i in range(5)]
    assert run(frames, measures=measures)[1].keys() == names


@pytest.mark.parametrize('measures', [(), ('J', 'G')])
def test_unknown_measures_are_refused(measures):
    with pytest.raises(ValueError, match='measures must be one or more of J, F, T, got'):
        VOSMetric(measures=measures)


def test_what_was_found_on_a_sequence_is_kept_as_json_and_taken_back():
    names = ('camel', 'cows')
    frames = {name: [prediction(i, width, sequence=name) for i, width in enumerate([8, 6, 0, 4, 5])] for name in names}
    metric, other, whole = VOSMetric(), VOSMetric(), VOSMetric()
    metric.process(None, frames['camel'] + frames['cows'])
    whole.process(None, frames['camel'] + frames['cows'])
    state = json.loads(json.dumps(metric.sequence_state('camel'), allow_nan=False))
    assert [frame['frame_id'] for frame in state] == [1, 2, 3] and state[1]['T'] is None  # an empty mask has no contour
    other.restore_sequence('camel', state)
    other.process(None, frames['cows'])
    assert repr(other.evaluate(2)) == repr(whole.evaluate(2))  # which compares NaN too
    assert repr(other.scores) == repr(whole.scores) and 'nan' in repr(whole.scores)
    assert metric.sequence_state('gone') == []


def test_it_works_in_the_evaluator_of_mmengine():
    evaluator = Evaluator([VOSMetric(prefix='dev')])
    evaluator.process(data_samples=[prediction(1, 4)], data_batch=None)
    assert evaluator.evaluate(1)['dev/J_mean'] == 0.5


def test_a_prediction_of_another_size_is_named():
    frame = prediction(1, 8)
    frame.labels = frame.labels[:6]
    with pytest.raises(ValueError, match=r"sequence 'camel', frame 1: the predicted mask is \(6, 16\), .*\(12, 16\)"):
        VOSMetric().process(None, [frame])


def test_a_tolerance_must_be_positive():
    with pytest.raises(ValueError, match='bound_th must be positive, got 0'):
        VOSMetric(bound_th=0)


def test_void_pixels_count_for_no_measure():
    frames, cleared = [prediction(i, 4 + i) for i in range(5)], [prediction(i, 4 + i) for i in range(5)]
    void = np.zeros(SHAPE, bool)
    void[3:8, 5:] = True
    for frame, other in zip(frames, cleared, strict=True):
        frame.gt_labels = np.where(void, 0, frame.gt_labels)
        frame.gt_void = void
        other.labels, other.gt_labels = np.where(void, 0, other.labels), frame.gt_labels
    assert run(frames)[1] == run(cleared)[1] != run([prediction(i, 4 + i) for i in range(5)])[1]


def test_objects_that_were_merged_are_told_in_the_table_and_kept_for_a_resumed_test():
    metric, other = VOSMetric(), VOSMetric()
    frames = [prediction(i, 8, sequence=name) for name in ('camel', 'cows') for i in range(5)]
    for name, ids in (('camel', (3, 7)), ('cows', (1,))):
        metric.note(name, merged=ids)
    metric.process(None, frames)
    state = json.loads(json.dumps(metric.sequence_state('camel')))
    other.restore_sequence('camel', state)
    other.process(None, frames[5:])
    for one in (metric, other):
        assert one.evaluate(2) == run(frames)[1]
        assert len(one.scores.notices) == 1 and '1 of 2 sequence(s) hold several objects (camel: 3, 7)' in \
            one.scores.notices[0]


def several(frame_id, sequence='judo', num_frames=6):
    """Object 1 in all frames, 7 from frame 2 on; 7 is found from frame 3 on, 1 a column too narrow."""
    gt, labels = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    gt[:5, :8], labels[:5, :7] = 1, 1
    gt[6:, :4] = 7 * (frame_id >= 2)
    labels[6:, :4] = 7 * (frame_id >= 3)
    return SegmentedFrame(sequence, frame_id, f'{frame_id:05d}', np.zeros((*SHAPE, 3), np.uint8), object_ids=(1, 7),
                          num_frames=num_frames, labels=labels, gt_labels=gt)


def test_objects_are_scored_one_by_one_as_folders_of_masks_are(tmp_path):
    frames = [several(i) for i in range(6)] + [prediction(i, 4, sequence='lone') for i in range(5)]
    metric, scores = run(frames)
    objects = metric.scores.sequences['judo']['J']['objects']
    assert objects['1']['frames'] == [1, 2, 3, 4] and objects['1']['mean'] == pytest.approx(7 / 8)
    assert objects['7']['frames'] == [3, 4] and objects['7']['mean'] == 1.0
    assert scores['J_mean'] == pytest.approx((7 / 8 + 1 + 0.5) / 3)
    assert metric.scores.protocol['protocol'] == 'DAVIS 2017'
    for frame in frames:
        write_indexed_png(tmp_path / 'gt' / frame.sequence / f'{frame.file_name}.png', frame.gt_labels)
        write_indexed_png(tmp_path / 'pred' / frame.sequence / f'{frame.file_name}.png', frame.labels)
    on_disk = evaluate_masks(tmp_path / 'gt', tmp_path / 'pred')
    assert on_disk.sequences == metric.scores.sequences and on_disk.overall == metric.scores.overall
    rows = metric.scores.to_text().splitlines()
    assert [row.split()[:2] for row in rows[2:5]] == [['judo', '4'], ['judo/1', '4'], ['judo/7', '2']]
    metric.scores.to_csv(tmp_path / 'scores.csv')
    assert 'judo/7,2,1.000000' in (tmp_path / 'scores.csv').read_text()


def test_means_over_groups_of_objects():
    metric, other = VOSMetric(measures=('J', 'F')), VOSMetric(measures=('J', 'F'))
    frames = [several(i) for i in range(6)] + [prediction(i, 4, sequence='lone') for i in range(5)]
    metric.process(None, frames)
    metric.note('judo', groups={1: 'seen', 7: 'unseen'})
    metric.note('lone', groups={1: 'seen'})
    for name in ('judo', 'lone'):
        other.restore_sequence(name, json.loads(json.dumps(metric.sequence_state(name))))
    for one in (metric, other):
        scores = one.evaluate(2)
        assert scores['J_seen'] == pytest.approx((7 / 8 + 0.5) / 2) and scores['J_unseen'] == 1
        both = [scores[f'{measure}_{group}'] for measure in 'JF' for group in ('seen', 'unseen')]
        assert scores['G'] == pytest.approx(np.mean(both))
    assert 'G' in metric.scores.to_text() and 'J_seen' not in run(frames)[1]


def test_frames_of_several_objects_come_in_order():
    with pytest.raises(ValueError, match="'judo', frame 1: came after frame 2: objects are scored .* in order"):
        run([several(2), several(1)])
    frame = several(3)
    frame.gt_labels = None  # not annotated: left out
    assert run([several(0), several(1), several(2), frame, several(4)])[0].scores.sequences['judo']['J']['frames'] == [
        1, 2, 4]
