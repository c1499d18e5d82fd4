import numpy as np
import pytest

from tempseg_mm.evaluation import sequence_labels
from tempseg_mm.evaluation.sequence_labels import Annotations
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.visualization.exporters import write_indexed_png


def square(*boxes):
    mask = np.zeros((24, 40), np.uint8)
    for label, column in boxes:
        mask[6:18, column:column + 10] = label
    return mask


@pytest.fixture
def annotations(tmp_path):
    def make(*masks):
        paths = [str(tmp_path / f'{i}.png') for i in range(len(masks))]
        for path, mask in zip(paths, masks, strict=True):
            write_indexed_png(path, mask)
        return paths
    return make


@pytest.mark.parametrize('most_kept', [2 ** 28, 1000, 0])
def test_objects_of_all_annotations_and_where_they_first_show(annotations, monkeypatch, most_kept):
    monkeypatch.setattr(sequence_labels, 'MOST_KEPT', most_kept)
    masks = square(), square((2, 3)), square((2, 4), (1, 20)), square((2, 4), (255, 20))
    paths = annotations(*masks)
    found = Annotations(paths, MaskReader(masks=paths))
    assert found.first_seen == {1: 2, 2: 1} and list(found.first_seen) == [1, 2]
    assert found.has_void and found.faults == []
    for i, mask in enumerate(masks):
        np.testing.assert_array_equal(found.read(i).ids, np.where(mask == 255, 0, mask))
    np.testing.assert_array_equal(found.read(3).void, masks[3] == 255)


def test_each_annotation_is_decoded_once_where_memory_allows(annotations):
    paths, reads = annotations(*[square((1, i)) for i in range(4)]), []

    class Counting(MaskReader):
        def read(self, mask, **options):
            reads.append(mask)
            return super().read(mask, **options)
    found = Annotations(paths, Counting(masks=paths))
    for i in range(4):
        found.read(i)
    assert reads == paths


def test_what_cannot_be_read_is_told_and_the_rest_is_there(annotations, tmp_path):
    paths = annotations(square((1, 2)), square((1, 3)), square((4, 3)))
    (tmp_path / '1.png').write_bytes(b'no image')
    found = Annotations(paths, MaskReader(masks=paths))
    assert found.first_seen == {1: 0, 4: 2} and found.read(1) is None
    assert len(found.faults) == 1 and '1.png' in found.faults[0]
