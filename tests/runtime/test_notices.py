from pathlib import Path

from tempseg_mm.runtime.notices import Notices


def test_each_sentence_is_told_once_and_in_order():
    notices = Notices()
    for sentence in ('b.', 'a.', 'b.'):
        notices.add(sentence)
    assert list(notices) == ['b.', 'a.']
    assert len(notices) == 2


def test_the_first_of_many_files_is_named_and_the_others_counted():
    notices = Notices()
    for name in ('0.png', '1.png', '1.png'):
        notices.add('is soft', file=Path('masks') / name)
    assert list(notices) == [f'{Path("masks", "0.png")} is soft (1 more file likewise)']
    notices.add('is soft', file='2.png')
    assert list(notices) == [f'{Path("masks", "0.png")} is soft (2 more files likewise)']


def test_nothing_noted_is_false():
    assert not Notices()
    assert list(Notices()) == []
