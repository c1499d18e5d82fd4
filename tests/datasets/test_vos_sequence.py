import pickle

import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.flow.flo_file import write_flo
from tempseg_mm.visualization.exporters import write_indexed_png

SIZE = (97, 131)


def object_mask(t, size=SIZE):
    mask = np.zeros(size, np.uint8)
    mask[20:60, 10 + 5 * t:50 + 5 * t] = 1
    return mask


@pytest.fixture
def sequence(tmp_path):
    """Three frames of 97 x 131, blue is 10 t; the second is not annotated, the second pair has no flow."""
    frames, masks = [], []
    for t in range(3):
        image = np.full((*SIZE, 3), (200, 100, 10 * t), np.uint8)
        frames.append(str(tmp_path / f'{t:05d}.png'))
        cv2.imwrite(frames[-1], image[..., ::-1])
        masks.append(str(tmp_path / f'm{t:05d}.png'))
        cv2.imwrite(masks[-1], object_mask(t) * 255)
    flow = str(tmp_path / '00000.flo')
    write_flo(flow, np.broadcast_to(np.float32([5, -2]), (*SIZE, 2)))
    return VOSSequence('walk', tuple(frames), (masks[0], None, masks[2]), flow_paths=(flow, None))


def test_reads_as_stored(sequence):
    assert len(sequence) == 3 and sequence.shape == SIZE
    assert sequence.file_name(2) == '00002'
    frame = sequence.frame(2)
    assert frame.shape == (*SIZE, 3) and frame.dtype == np.uint8 and frame[0, 0].tolist() == [200, 100, 20]
    np.testing.assert_array_equal(sequence.mask(2), object_mask(2))
    assert sequence.mask(1) is None and not sequence.is_annotated(1)
    np.testing.assert_array_equal(sequence.flow(0), np.broadcast_to(np.float32([5, -2]), (*SIZE, 2)))
    assert sequence.flow(1) is None


@pytest.mark.parametrize(('size', 'expected'), [((50, 60), (50, 60)), (48, (48, 65)), ((100, 140), (100, 140))])
def test_reads_at_a_working_size(sequence, size, expected):
    assert sequence.frame(0, size).shape == (*expected, 3)
    mask = sequence.mask(0, size)
    assert mask.shape == expected and set(np.unique(mask)) == {0, 1}
    assert mask.mean() == pytest.approx(object_mask(0).mean(), rel=0.1)
    flow = sequence.flow(0, size)
    np.testing.assert_allclose(flow[3, 4], [5 * expected[1] / 131, -2 * expected[0] / 97], rtol=1e-5)


def test_an_id_selects_an_instance(tmp_path, sequence):
    ids = object_mask(0) + 2 * (object_mask(2) & ~object_mask(0) & 1)
    cv2.imwrite(str(tmp_path / 'ids.png'), ids)
    one = VOSSequence('walk', sequence.frame_paths[:1], (str(tmp_path / 'ids.png'),), objects=2)
    np.testing.assert_array_equal(one.mask(0), ids == 2)


def test_pickles(sequence):
    copy = pickle.loads(pickle.dumps(sequence))
    assert copy == sequence
    np.testing.assert_array_equal(copy.frame(1), sequence.frame(1))


def test_mask_of_another_size_names_both(tmp_path, sequence):
    cv2.imwrite(sequence.mask_paths[2], np.zeros((97, 130), np.uint8))
    with pytest.raises(ValueError, match=r'm00002.png is 97x130 .*, but its frame .*00002.png is 97x131'):
        sequence.mask(2)


def test_flow_of_another_size_names_both(sequence):
    write_flo(sequence.flow_paths[0], np.zeros((4, 5, 2)))
    with pytest.raises(ValueError, match=r'00000.flo is 4x5 .* but its frame .*00000.png is 97x131'):
        sequence.flow(0, (20, 20))


def test_frames_of_mixed_sizes(sequence):
    cv2.imwrite(sequence.frame_paths[1], np.zeros((90, 131, 3), np.uint8))
    sequence.frame(0)
    with pytest.raises(ValueError, match=r"of sequence 'walk' differ in size: .*00001.png is 90x131 .* is 97x131"):
        sequence.frame(1, (20, 20))


def test_unreadable_frame(sequence):
    with open(sequence.frame_paths[1], 'wb') as file:
        file.write(b'no image')
    with pytest.raises(OSError, match='00001.png cannot be decoded'):
        sequence.frame(1)


@pytest.mark.parametrize('index', [-1, 3])
def test_index_out_of_range(sequence, index):
    for read in (sequence.frame, sequence.mask, sequence.file_name):
        with pytest.raises(IndexError, match="sequence 'walk' has 3 frames"):
            read(index)


def test_last_frame_has_no_flow(sequence):
    with pytest.raises(IndexError, match='index 2 is not in 0..1'):
        sequence.flow(2)


def test_numbers_of_paths():
    with pytest.raises(ValueError, match="sequence 'x' has no frames"):
        VOSSequence('x', (), ())
    with pytest.raises(ValueError, match='has 2 frames, so mask_paths must have 2 entries, got 1'):
        VOSSequence('x', ('a', 'b'), ('c',))
    with pytest.raises(ValueError, match='flow_paths must have 0 or 1 entries, got 2'):
        VOSSequence('x', ('a', 'b'), ('c', None), flow_paths=('f', 'g'))


def test_threshold(tmp_path, sequence):
    soft = np.where(object_mask(0) == 1, 128, 127).astype(np.uint8)
    cv2.imwrite(str(tmp_path / 'soft.png'), soft)
    one = VOSSequence('walk', sequence.frame_paths[:1], (str(tmp_path / 'soft.png'),), threshold=127)
    np.testing.assert_array_equal(one.mask(0), object_mask(0))


def test_frames_are_brought_to_the_size_of_their_annotations(tmp_path, sequence):
    small = object_mask(0)[::2, ::2]  # 49 x 66
    cv2.imwrite(str(tmp_path / 'small.png'), small)
    flow = (sequence.flow_paths[0], None)
    one = VOSSequence('walk', sequence.frame_paths, (str(tmp_path / 'small.png'), None, sequence.mask_paths[2]),
                      flow_paths=flow, annotation_size=(49, 66))
    assert one.shape == one.mask(0).shape == one.frame(0).shape[:2] == (49, 66)
    np.testing.assert_array_equal(one.mask(0), small)
    np.testing.assert_allclose(one.flow(0)[3, 4], [5 * 66 / 131, -2 * 49 / 97], rtol=1e-5)
    assert one.frame(1, 24).shape[:2] == one.mask(0, 24).shape == (24, 32)
    with pytest.raises(ValueError, match=r'm00002.png is 97x131 .*, but its frame .*00002.png is to be read at 49x66'):
        one.mask(2)


@pytest.mark.parametrize('name', ['', '..', '../x', '/etc', 'a/b', 'a\\b', 'a\0b'])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(ValueError, match='sequence name .* cannot be used'):
        VOSSequence(name, ('a',), (None,))


def test_flow_that_is_not_finite_is_named(sequence):
    flow = np.zeros((*SIZE, 2))
    flow[3, 4, 1] = np.nan
    write_flo(sequence.flow_paths[0], flow)
    with pytest.raises(ValueError, match=r"00000\.flo holds vectors that are not finite \(sequence 'walk'\)"):
        sequence.flow(0)


def test_files_of_a_frame(sequence):
    assert sequence.files(0) == (sequence.frame_paths[0], sequence.mask_paths[0], sequence.flow_paths[0])
    assert sequence.files(1) == (sequence.frame_paths[1],)
    assert sequence.files(2) == (sequence.frame_paths[2], sequence.mask_paths[2])
    with pytest.raises(IndexError, match='index 3 is not in 0..2'):
        sequence.files(3)


@pytest.mark.parametrize('i, kind', [(1, 'frame_paths'), (2, 'mask_paths'), (0, 'flow_paths')])
def test_verification_reads_frame_annotation_and_flow(sequence, i, kind):
    for t in range(3):
        sequence.verify(t)
    path = getattr(sequence, kind)[i]
    with open(path, 'r+b') as file:
        file.truncate(60)
    with pytest.raises(OSError, match=f'{path} '):
        sequence.verify(i)


def test_verification_compares_sizes(sequence):
    cv2.imwrite(sequence.frame_paths[2], np.zeros((10, 20, 3), np.uint8))
    with pytest.raises(ValueError, match='differ in size: .*00002.png is 10x20'):
        sequence.verify(2)


def test_objects_that_are_told_apart(tmp_path, sequence):
    ids = [object_mask(0), object_mask(0) * 0, object_mask(0) + 4 * (object_mask(2) & ~object_mask(0) & 1)]
    paths = tuple(str(tmp_path / f'apart/{i}.png') for i in range(3))
    for path, mask in zip(paths, ids, strict=True):
        write_indexed_png(path, mask)
    apart = VOSSequence('walk', sequence.frame_paths[:3], paths, objects='apart')
    assert dict(apart.first_shown) == {1: 0, 4: 2} and apart.merged_ids == ()
    np.testing.assert_array_equal(apart.annotation(2).ids, ids[2])
    np.testing.assert_array_equal(apart.mask(2), ids[2] > 0)
    assert pickle.loads(pickle.dumps(apart)) == apart


@pytest.mark.parametrize('objects', ['all', 0, 256, 1.5, None])
def test_what_an_object_is(sequence, objects):
    with pytest.raises(ValueError, match="objects must be 'merged' .*, 'apart' .* or an id, 1 to 255; got"):
        VOSSequence('walk', sequence.frame_paths, sequence.mask_paths, objects=objects)
    with pytest.raises(ValueError, match=r"by their ids \(objects='apart'\) or by threshold"):
        VOSSequence('walk', sequence.frame_paths, sequence.mask_paths, objects='apart', threshold=9)
