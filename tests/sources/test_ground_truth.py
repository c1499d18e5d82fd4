import numpy as np
import pytest

from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.ground_truth import GroundTruth
from tempseg_mm.visualization.exporters import write_indexed_png


def frame(number, width):
    return SourceFrame(number, f'{number:05d}', np.zeros((1, width, 3), np.uint8))


def test_ground_truth_from_a_folder_a_list_and_a_dict(tmp_path):
    mask = np.array([[0, 2]], np.uint8)
    write_indexed_png(tmp_path / '00007.png', mask)
    for truth in (GroundTruth(tmp_path), GroundTruth([mask], names=FrameNames(start=7)),
                  GroundTruth({7: tmp_path / '00007.png'})):
        np.testing.assert_array_equal(truth.labels(frame(7, 2)), mask)
        assert truth.labels(frame(8, 2)) is None
    with pytest.raises(ValueError, match=r'ground truth of frame 00007 is \(1, 2\), the frame \(1, 3\)'):
        GroundTruth(tmp_path).labels(frame(7, 3))


@pytest.mark.parametrize('make', [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_ground_truth_there(tmp_path, make):
    make(tmp_path / 'gt')
    with pytest.raises(FileNotFoundError, match='there is none in .*gt'):
        GroundTruth(tmp_path / 'gt')
