import pytest

from tempseg_mm.runtime.differences import Difference, differences


@pytest.mark.parametrize('then, now, expected', [
    (dict(a=1, b=dict(c=2)), dict(a=1, b=dict(c=2)), []),
    (dict(a=1, b=dict(c=2)), dict(a=3, b=dict(c=4)), [('a', 1, 3), ('b.c', 2, 4)]),
    (dict(a=1), dict(b=2), [('a', 1, None), ('b', None, 2)]),
    (dict(a=dict(b=1)), dict(a=None), [('a', dict(b=1), None)]),
    (dict(a=[dict(b=1), dict(c=2)]), dict(a=[dict(b=1), dict(c=3)]), [('a.1.c', 2, 3)]),
    (dict(a=[dict(b=1)]), dict(a=[]), [('a', [dict(b=1)], [])]),
    (dict(a=[1, 2]), dict(a=(1, 2)), []), (dict(a=[1, 2]), dict(a=[1, 3]), [('a', [1, 2], [1, 3])])])
def test_every_setting_that_differs(then, now, expected):
    assert list(differences(then, now)) == [Difference(*one) for one in expected]


def test_in_words_what_is_deep_inside_is_left_out():
    assert str(Difference('steps', 3, 4)) == 'steps (3 then, 4 now)'
    assert str(Difference('tuner', dict(augment=[dict(type='B')]), 'x' * 300)).startswith(
        "tuner ({'augment': [{...}]} then, 'xxx")
    assert len(str(Difference('a', 'x' * 300, None))) < 230
