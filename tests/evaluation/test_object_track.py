import numpy as np

from tempseg_mm.evaluation.functional import contour_accuracy, region_similarity, temporal_instability
from tempseg_mm.evaluation.object_track import ObjectTrack
from tempseg_mm.sources.mask_files import Labels


def labels(*widths):
    found = np.zeros((24, 40), np.uint8)
    for i, width in enumerate(widths):
        found[2 + 11 * i:11 + 11 * i, 3:3 + width] = 4 + i
    return found


def test_one_object_of_several_from_its_second_annotation_on():
    gt, pred = [labels(20, 20), labels(16, 24), labels(12, 28)], [None, labels(16, 12), labels(9, 28)]
    for object_id in (4, 5, None):
        def of(mask, object_id=object_id):
            return mask > 0 if object_id is None else mask == object_id
        track = ObjectTrack('JFT', object_id)
        track.begin(Labels(gt[0]))
        t = temporal_instability([of(gt[0]), of(pred[1]), of(pred[2])])
        for i in (1, 2):
            found = track.score(pred[i], Labels(gt[i]))
            pair = of(pred[i]), of(gt[i])
            assert found == dict(J=region_similarity(*pair), F=contour_accuracy(*pair), T=t.per_pair[i - 1])


def test_only_the_measures_asked_for_and_no_void_pixel():
    track, void = ObjectTrack('J', 4), labels(20, 0) > 0
    void[:, :13] = False
    track.begin(Labels(labels(20)))
    assert track.score(labels(10), Labels(labels(20), void)) == dict(J=1.0)
    assert set(ObjectTrack('JF', 4).score(labels(10), Labels(labels(20)))) == {'J', 'F'}
    loose = ObjectTrack('F', 4, bound_th=12).score(labels(10), Labels(labels(20)))
    assert loose['F'] == 1.0 > ObjectTrack('F', 4).score(labels(10), Labels(labels(20)))['F']
