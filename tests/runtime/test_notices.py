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
    assert list(notices) == [f'{Path("masks", "0.png")} is soft (same for 1 more file)']
    notices.add('is soft', file='2.png')
    assert list(notices) == [f'{Path("masks", "0.png")} is soft (same for 2 more files)']


def test_nothing_noted_is_false():
    assert not Notices()
    assert list(Notices()) == []


def test_others_are_taken_in_and_a_kind_has_its_name():
    notices, others = Notices('sequence'), Notices('sequence')
    notices.add('has void', file='bear')
    for name in ('bear', 'camel'):
        others.add('has void', file=name)
    others.add('All is well.')
    notices.update(others)
    assert list(notices) == ['bear has void (same for 1 more sequence)', 'All is well.']
