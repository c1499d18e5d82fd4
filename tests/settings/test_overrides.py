import argparse

import pytest
from mmengine.config import Config

from tempseg_mm.settings.overrides import ConfigOverrides, merge_overrides


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides)
    return lambda *texts: parser.parse_args(['--cfg-options', *texts]).cfg_options


@pytest.fixture
def cfg():
    return Config(dict(width=1.0, losses=dict(l1=1), steps=[dict(type='A'), 3]))


def test_values_are_those_of_mmengine(parse):
    assert parse('a.b=1', 'c=x,2.5', 'd=[(1,2),(3,4)]', 'e=None', 'f=g=h', 'i=') == {
        'a.b': 1, 'c': ['x', 2.5], 'd': [(1, 2), (3, 4)], 'e': None, 'f': 'g=h', 'i': ''}


@pytest.mark.parametrize('text, words', [
    ('width', "'width' is no KEY=VALUE"), ('=3', 'is no KEY=VALUE'), ('a..b=3', 'is no KEY=VALUE'),
    ('a=[1,2', 'do its brackets match'), ('a=f(1,2)', 'do its brackets match')])
def test_what_cannot_be_read_ends_with_a_message(parse, capsys, text, words):
    with pytest.raises(SystemExit) as end:
        parse(text)
    assert end.value.code == 2 and words in capsys.readouterr().err


def test_merged(cfg):
    merge_overrides(cfg, {'width': 0.5, 'losses.l1': 2, 'steps.0.type': 'B', 'new.key': 3})
    assert cfg.to_dict() == dict(width=0.5, losses=dict(l1=2), steps=[dict(type='B'), 3], new=dict(key=3))


def test_an_item_of_a_list_by_its_type():
    parts = [dict(type='C', x=1)]
    cfg = Config(dict(steps=[dict(type='A'), dict(type='B', parts=parts), dict(type='D'), dict(type='D')]))
    merge_overrides(cfg, {'steps.B.parts.C.x': 2, 'steps.A.y': 3})
    assert cfg.steps[1].parts[0].x == 2 and cfg.steps[0] == dict(type='A', y=3)
    for name, count in (('E', 0), ('D', 2)):
        with pytest.raises(ValueError, match=f"steps has {count} items of type '{name}'.*: a key may lead"):
            merge_overrides(cfg, {f'steps.{name}.x': 2})


@pytest.mark.parametrize('options', [
    {'width.x': 1}, {'steps.5.type': 'B'}, {'steps.1': 4}, {'steps.x': 1}, {'a': 1, 'a.b': 2}])
def test_overrides_that_do_not_fit(cfg, options):
    with pytest.raises(ValueError, match=r'the overrides \{.*\} do not fit the config \(.*\): a key may lead'):
        merge_overrides(cfg, options)
