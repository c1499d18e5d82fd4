import pytest

from tempseg_mm.settings.typed_text import TypedText, read_value, split_items


@pytest.mark.parametrize('text', ['/x/my data', 'a,b', '/x/a, b/c', '2016', '007', '1e3', 'True', ' x ', '[2016]', '(a',
                                  "it's", '', 'x=y', '{}', 'ä ö', 'C:\\new', '"a" b', "'a','b'", 'none', 'nan'])
def test_a_text_stays_as_typed(text):
    value = read_value(TypedText(text), 'before')
    assert value == text and type(value) is str
    assert read_value(TypedText(f'"{text}"'), None) == text or '"' in text  # quotes make it text, whatever it was


@pytest.mark.parametrize('own, text, value', [
    (1.0, '0.25', 0.25), (1.0, '3', 3.0), (1, '7', 7), (10, '1e4', 10000), (1, '0.5', 0.5), (1, '-2', -2),
    (1.0, '.5', 0.5), (1.0, '1.', 1.0), (1, '007', 7), (1.0, 'inf', float('inf')), (64, '128,224', [128, 224]),
    (64, '(128, 224)', (128, 224)), (1, 'True', True), (1, '"auto"', 'auto'),
    (True, 'false', False), (False, '1', True), (False, '0.5', 0.5), (False, '"x"', 'x'),
    ((64, 112), '128,224', (128, 224)), ((64, 112), '[128,224]', [128, 224]), ((64, 112), '128', 128),
    ((0.8, 1.25), '1,2', (1.0, 2.0)), ([(1, 2)], '[(3,4),(5,6)]', [(3, 4), (5, 6)]),
    ([(1, 2)], '(3,4),(5,6)', [(3, 4), (5, 6)]),
    (['a'], 'my dog', ['my dog']), (['a'], 'my dog,cat', ['my dog', 'cat']),
    (['a'], '[my dog, cat]', ['my dog', 'cat']), (['a'], '2016,2017', ['2016', '2017']),
    (['a'], '["a,b",c]', ['a,b', 'c']), (['a'], "dog's,cat", ["dog's", 'cat']),
    (['a'], 'a,', ['a']), (['a'], '[]', []), (['a'], '', []), (['a'], "['a', 'b)']", ['a', 'b)']),
    ([], '1,b', [1, 'b']), ([dict(type='A')], '[]', []),
    (dict(a=1), '{"b": 2}', dict(b=2)), (dict(a=1), '[]', []),
    (None, '1', 1), (None, '2.5', 2.5), (None, '1e3', 1000.0), (None, 'true', True), (None, 'x', 'x'), (None, '', ''),
    (None, 'my data', 'my data'), (None, '1,2', [1, 2]), (None, '[(1,2),(3,4)]', [(1, 2), (3, 4)]),
    (None, '[a, b c]', ['a', 'b c']),
    (None, '(1)', (1,)), (None, '{"a": [1]}', dict(a=[1])), (None, '1_000', '1_000'), (None, '007', '007'),
    (None, 'inf', 'inf'), (None, 'f(1,2)', 'f(1,2)'),
    (None, '/x/a,b.pth', '/x/a,b.pth'), (None, '1+2j', '1+2j'), (None, "'1'", '1'),
    (None, 'x,', ['x']), (None, 'g=h', 'g=h')])
def test_kinds(own, text, value):
    found = read_value(TypedText(text), own, note=lambda sentence: None)
    assert found == value and type(found) is type(value)
    if isinstance(found, list | tuple):
        assert [type(item) for item in found] == [type(item) for item in value]


@pytest.mark.parametrize('own', ['a', 1, 1.0, True, [1], ['a'], (1, 2), dict(a=1), [dict(a=1)], None])
def test_none_is_none_anywhere(own):
    assert read_value(TypedText('None'), own) is None


@pytest.mark.parametrize('own, text, words', [
    (1, 'f(1,2)', 'expected a number'), (1, ',', 'expected a number'), ([1], 'x(1,2),3', 'expected a number'),
    (1, 'x', "expected a number, like 1; write \"'x'\" if it is text"), (0.5, '0.0O1', 'expected a number'),
    (1, '', 'expected a number'), (True, 'maybe', 'expected True or False'), ((1, 2), '1,x', 'expected a number'),
    (dict(a=1), 'x', 'expected None or a dict'), (dict(a=1), '5', 'expected None or a dict'),
    ([dict(a=1)], 'x', 'the setting is a list of dicts'), (None, '[1,2', 'do its brackets match'),
    (['a'], '[a,b', 'match'), (['a'], '"a,b', 'match'), (dict(a=1), '{a: 1}', 'plain Python')])
def test_what_is_of_no_such_kind_is_refused(own, text, words):
    with pytest.raises(ValueError, match='.*') as error:
        read_value(TypedText(text), own)
    assert words in str(error.value)


def test_of_two_readings_the_one_taken_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = []
    assert read_value(TypedText('bear,my dog'), None, told.append) == ['bear', 'my dog']
    assert told == ["'bear,my dog' is read as the list ['bear', 'my dog']; write \"'bear,my dog'\" if it is one "
                    'text']
    (tmp_path / 'bear,my dog').touch()
    assert read_value(TypedText('bear,my dog'), None, told.append) == 'bear,my dog'
    for text in ('1,2', '"a","b"', 'bear', '/x/a,b'):
        read_value(TypedText(text), None, told.append)
    assert len(told) == 1


def test_items():
    assert split_items('a, (b,c) ,"d,e",[f,"g)"]') == ['a', '(b,c)', '"d,e"', '[f,"g)"]']
    for text in ('(a', 'a)', ')(', '"a', "a,'b"):
        with pytest.raises(ValueError, match='match'):
            split_items(text)
