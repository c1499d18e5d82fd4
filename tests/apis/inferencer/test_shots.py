import re

import pytest

from tempseg_mm.apis.inferencer.shots import Shot, masks_beside, named_shots, read_shots, with_masks


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files by name, empty: nothing here is decoded. The working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ('dog.mp4', 'dog.png', 'dog@40.png', 'dogs.png', 'dog.txt', 'two cats.mp4', 'two cats_mask.jpg',
                 'run/00000.jpg', 'gt_run.png', 'loop.gif', 'loop@2.gif', 'bare.mp4', 'a/dog.avi'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_line_is_written_as_for_the_command(folder):
    (folder / 'shots.txt').write_text('\ufeff# the good ones\n\ndog.mp4 --mask a#1.png --mask b.png@40 --out first\n'
                                      '"two cats.mp4" --box 1,2,3,4@5 --start 2 --end 9 --gt true\n', 'utf-8')
    assert read_shots(folder / 'shots.txt') == [
        Shot('dog.mp4', ('a#1.png', 'b.png@40'), name='first'),
        Shot('two cats.mp4', (), ('1,2,3,4@5',), 2, 9, 'true')]


@pytest.mark.parametrize('text, message', [
    ('dog.mp4\ndog.mp4 dog.png\n', 'line 2: unrecognized arguments: dog.png; a line has VIDEO and'),
    ('dog.mp4 --steps 5', 'line 1: unrecognized arguments: --steps 5'),
    ('--mask dog.png', 'line 1: the following arguments are required: VIDEO'),
    ('dog.mp4 --start a', "line 1: argument --start: invalid int value: 'a'"),
    ("it's.mp4", 'line 1: No closing quotation'),
    ('# nothing\n', 'lists no video'),
])
def test_a_line_that_cannot_be_read_is_named(folder, text, message):
    (folder / 'shots.txt').write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)):
        read_shots('shots.txt')


def test_masks_beside_are_called_as_their_video(folder):
    assert masks_beside('dog.mp4') == ('dog.png@0', 'dog@40.png@40')
    assert masks_beside('two cats.mp4', start=3) == ('two cats_mask.jpg@3',)
    assert masks_beside('run/') == (f'{folder}/gt_run.png@0',)
    assert masks_beside('loop.gif') == ('loop@2.gif@2',)  # itself is none
    assert masks_beside('a/dog.avi') == masks_beside('0') == masks_beside('*.png') == ()


def test_what_is_given_counts_and_else_what_lies_beside(folder):
    assert with_masks(Shot('dog.mp4', boxes=('1,2,3,4',))).masks == ()
    assert with_masks(Shot('dog.mp4', ('dogs.png@7',))).masks == ('dogs.png@7',)
    assert with_masks(Shot('dog.mp4', start=5)).masks == ('dog.png@5', 'dog@40.png@40')
    assert with_masks(Shot('dog.mp4')).given == 'mask dog.png@0, mask dog@40.png@40'
    for shot, error, message in (
            (Shot('bare.mp4'), ValueError, 'save its mask beside it as bare.png or bare_mask.png'),
            (Shot('*.mp4'), ValueError, '*.mp4 has no object to follow'),
            (Shot('dgo.mp4'), FileNotFoundError, "there is no file 'dgo.mp4', did you mean dog.mp4?"),
            (Shot('dog.mp4', ('dog.pgn@3',)), FileNotFoundError, "there is no file 'dog.pgn'")):
        with pytest.raises(error, match=re.escape(message)):
            with_masks(shot)


def test_each_has_a_folder_of_its_own(folder):
    def names(*shots):
        return [shot.name for shot in named_shots(shots)]
    assert names(Shot('dog.mp4'), Shot('run'), Shot('bare.mp4', name='x')) == ['dog', 'run', 'x']
    first, second = names(Shot('dog.mp4'), Shot('a/dog.avi'))
    assert re.fullmatch('dog-[0-9a-f]{6}', first) and first != second
    assert names(Shot('dog.mp4'), Shot('dog.mp4', name='again')) == ['dog', 'again']
    for shots, message in (((Shot('dog.mp4'), Shot('dog.mp4')), 'the results of dog.mp4 and dog.mp4 would go to'),
                           ((Shot('dog.mp4', name='../x'),), "--out of a line '../x' cannot be used: it is a path")):
        with pytest.raises(ValueError, match=re.escape(message)):
            names(*shots)
