"""A data set written once, and not written over."""

import cv2


def test_make_synthetic_writes_once(command, refused, capsys, tmp_path):
    arguments = ('--out', tmp_path / 'data', '--train-sequences', 1, '--test-sequences', 2, '--frames', 3,
                 '--height', 48, '--width', 64, '--difficulty', 'easy', '--seed', 4)
    command('make_synthetic', *arguments)
    assert 'written' in capsys.readouterr().out
    assert (tmp_path / 'data/ImageSets/48p/test.txt').read_text().split() == ['test_000', 'test_001']
    assert cv2.imread(str(tmp_path / 'data/JPEGImages/48p/train_000/00002.jpg')).shape == (48, 64, 3)
    assert len(list((tmp_path / 'data/Annotations/48p/train_000').iterdir())) == 3
    command('make_synthetic', *arguments)
    assert 'exist already' in capsys.readouterr().out
    assert 'made with another seed' in refused('make_synthetic', *arguments[:-1], 5)
