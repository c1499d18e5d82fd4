import cv2
import numpy as np
import pytest
from PIL import Image


def test_what_there_is(open_session, shot):
    with open_session(start=2, end=7) as session:
        assert (session.name, session.start, session.num_frames, session.size) == ('shot', 2, 5, (32, 48))
        assert list(session.frame_ids) == [2, 3, 4, 5, 6] and session.file_name(4) == '00004'
        assert session.fps is None and session.times is None
        np.testing.assert_array_equal(session.image(5), np.asarray(Image.open(shot[0] / '00005.png')))
        assert [frame.frame_id for frame in session.frames()] == [2, 3, 4, 5, 6]
        for outside in (1, 7):
            with pytest.raises(ValueError, match=f'no frame {outside}: frames are numbered 2 to 6'):
                session.image(outside)
    with open_session() as session:  # the part is that of the session
        assert (session.start, session.num_frames) == (2, 5)


def test_what_differs_from_what_was_found_is_given(open_session, two):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(3, two(3))
        assert session.given == {3: (1, 2)} and session.records[3].given
        assert session.records[3].areas == {1: (two(3) == 1).sum(), 2: (two(3) == 2).sum()}
        session.take_back(3)
        assert session.given == {} and session.labels(3) is None and 3 not in session.records
        session.files.write_labels('00003', two(3), session.state)  # as if it had been found
        moved = np.where(np.roll(two(3), 1, 1) == 1, 1, np.where(two(3) == 1, 0, two(3))).astype(np.uint8)
        session.give(3, moved)
        assert session.given == {3: (1,)}
        np.testing.assert_array_equal(session.labels(3), moved)
        np.testing.assert_array_equal(session.files.given('00003'), np.where(moved == 1, 1, 0))
        session.give(3, np.where(moved == 2, 0, moved).astype(np.uint8))  # drawn once more: 2 is erased
        assert session.given == {3: (1, 2)}
        session.give(3, two(3))  # as it was found: nothing is given
        assert session.given == {}
        np.testing.assert_array_equal(session.labels(3), two(3))


def test_everything_is_there_when_it_is_opened_again(open_session, two):
    with open_session() as session:
        session.add_object('square'), session.add_object(), session.rename(2, 'corner')
        session.give(3, two(3))
    with open_session() as session:
        assert session.objects == {1: 'square', 2: 'corner'} and session.given == {3: (1, 2)}
        np.testing.assert_array_equal(session.labels(3), two(3))
        assert session.records[3].given


def test_what_is_not_taken(open_session, two):
    with open_session() as session:
        with pytest.raises(ValueError, match='no object 1; the objects are'):
            session.give(0, two(0))
        for labels in (np.zeros((4, 4), np.uint8), np.zeros((32, 48), int)):
            with pytest.raises(ValueError, match=r'labels must be \(32, 48\) uint8, got'):
                session.give(0, labels)
        with pytest.raises(ValueError, match='no object 9'):
            session.rename(9, 'x')
        session.state.objects = dict.fromkeys(range(1, 256), '')
        with pytest.raises(ValueError, match='at most 255 objects'):
            session.add_object()


def test_two_processes_and_another_video(open_session, shot, tmp_path):
    with open_session(), pytest.raises(BlockingIOError, match='is being written by process'):
        open_session()
    cv2.imwrite(str(shot[0] / '00004.png'), np.zeros((32, 48, 3), np.uint8))
    with pytest.raises(ValueError, match='session on another video, .*00004.png is changed. Choose another --out'):
        open_session()
    (tmp_path / 'other/masks').mkdir(parents=True)
    with pytest.raises(FileExistsError, match='holds results'):
        open_session('other')
