import numpy as np
import pytest

from tempseg_mm.runtime.notices import Notices
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
        np.testing.assert_array_equal(truth.labels(frame(7, 2)).ids, mask)
        assert truth.labels(frame(8, 2)) is None
    with pytest.raises(ValueError, match=r'ground truth of frame 00007 has the size \(1, 2\), the frame \(1, 3\)'):
        GroundTruth(tmp_path).labels(frame(7, 3))


@pytest.mark.parametrize('make', [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_ground_truth_there(tmp_path, make):
    make(tmp_path / 'gt')
    with pytest.raises(FileNotFoundError, match='there is no mask in .*gt'):
        GroundTruth(tmp_path / 'gt')


def matched(folder, names, files, **part):
    """Frame -> value of the mask that it gets, and the notices; the i-th of ``files`` holds i + 1."""
    folder.mkdir(exist_ok=True)
    for i, file in enumerate(files):
        write_indexed_png(folder / file, np.pad(np.full((4, 4), i + 1, np.uint8), 4))
    notices = Notices()
    frames = FrameNames(names, **{'num_frames': 4, **part})
    truth = GroundTruth(folder, names=frames, notices=notices)
    found = {i: truth.labels(SourceFrame(i, frames.name(i), np.zeros((12, 12, 3), np.uint8))) for i in range(8)}
    return {i: int(labels.ids.max()) for i, labels in found.items() if labels is not None}, list(notices)


def numbered(pattern, first=0, count=4):
    return [pattern.format(i) for i in range(first, first + count)]


@pytest.mark.parametrize('names, files', [
    (numbered('{:05d}'), numbered('{:05d}.png')), (numbered('{:05d}', 1), numbered('{:05d}.png', 1)),
    (numbered('frame_{:03d}'), numbered('{:03d}_mask.png')), (None, numbered('{:05d}.png')),
    (numbered('IMG_{}', 8), numbered('img_{}.png', 8)), (numbered('frame_{:03d}'), numbered('gt_{:03d}.png'))])
def test_names_decide(tmp_path, names, files):
    assert matched(tmp_path / 'gt', names, files) == ({0: 1, 1: 2, 2: 3, 3: 4}, [])


@pytest.mark.parametrize('names, files', [
    (numbered('{:05d}', 1), numbered('{:05d}.png')), (numbered('{:05d}'), numbered('{:05d}.png', 1)),
    (None, numbered('{:05d}.png', 1)), (numbered('frame_{:03d}'), numbered('{:05d}.png')),
    (None, numbered('m{}.png', 9)), (['a', 'b', 'c', 'd'], numbered('{:05d}.png'))])
def test_as_many_masks_as_frames_of_other_names_go_by_order(tmp_path, names, files):
    found, (notice,) = matched(tmp_path / 'gt', names, files)
    assert found == {0: 1, 1: 2, 2: 3, 3: 4}
    assert f'the 4 masks in {tmp_path}/gt were matched to the 4 frames by their order, because their ' in notice
    assert f'{files[0]} to {names[0] if names else "00000"}, ..., {files[-1]} to' in notice


def test_some_match(tmp_path):
    found, notices = matched(tmp_path / 'gt', numbered('{:05d}'), ['00001.png', '00003.png', 'x.png'])
    assert found == {1: 1, 3: 2}
    assert notices == [f'{tmp_path}/gt has masks for 2 of 4 frames; the other frames are not scored; 1 belong to no '
                       'frame (x.png)']


@pytest.mark.parametrize('names', [numbered('{:05d}', count=8), None])
def test_masks_of_the_whole_sequence_for_a_part_of_it(tmp_path, names):
    found, notices = matched(tmp_path / 'gt', names, numbered('{:05d}.png', count=8), start=2)
    assert found == {2: 3, 3: 4, 4: 5, 5: 6} and notices == []


@pytest.mark.parametrize('files', [numbered('x{}.png', 7, 3), numbered('{:05d}.png', 20, 5)])
def test_none_match(tmp_path, files):
    with pytest.raises(ValueError, match=r'none of the \d masks in .* has the name of a frame \(frame_000, \.\.\.\)'):
        matched(tmp_path / 'gt', numbered('frame_{:03d}'), files)


def test_two_masks_of_one_frame(tmp_path):
    with pytest.raises(ValueError, match='00001_mask.png and .*00001.png are for the same frame, 00001: remove one'):
        matched(tmp_path / 'gt', numbered('{:05d}'), ['00001.png', '00001_mask.png'])


def test_a_list_of_another_length():
    notices = Notices()
    GroundTruth([np.zeros((1, 2))] * 6, names=FrameNames(num_frames=4), notices=notices)
    assert list(notices) == ['the list of ground truth has more masks than frames; 2 belong to no frame (4, 5)']


def test_where_it_is_instead(tmp_path):
    write_indexed_png(tmp_path / 'gt/480p/00000.png', np.ones((1, 2), np.uint8))
    with pytest.raises(FileNotFoundError, match='no mask in .*gt; .*gt/480p holds some'):
        GroundTruth(tmp_path / 'gt')
    with pytest.raises(FileNotFoundError, match='no mask in .*gtt, which does not exist, did you mean .*gt'):
        GroundTruth(tmp_path / 'gtt')
    with pytest.raises(FileNotFoundError, match='which is a file'):
        GroundTruth(tmp_path / 'gt/480p/00000.png')
