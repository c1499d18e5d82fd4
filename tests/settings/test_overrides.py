import argparse
import re

import pytest
from mmengine.config import Config

import tempseg_mm.datasets
import tempseg_mm.flow  # noqa: F401
from tempseg_mm.settings.overrides import SettingError, merge_overrides
from tempseg_mm.settings.typed_text import ConfigOverrides, TypedText


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides)
    return lambda *texts: parser.parse_args(['--cfg-options', *texts]).cfg_options


@pytest.fixture
def cfg():
    return Config(dict(width=1.0, losses=dict(l1=1), steps=[dict(type='A'), 3]))


def test_the_command_line_keeps_values_as_typed(parse):
    found = parse('a.b=1', 'c=x, y', 'd=[(1,2)', 'e=None', 'f=g=h', 'i=', 'a.b=2')
    assert found == {'a.b': '2', 'c': 'x, y', 'd': '[(1,2)', 'e': 'None', 'f': 'g=h', 'i': ''}
    assert all(type(value) is TypedText for value in found.values())


@pytest.mark.parametrize('text', ['width', '=3', 'a..b=3', 'data'])
def test_what_is_no_override_ends_with_a_message(parse, capsys, text):
    with pytest.raises(SystemExit) as end:
        parse('data_root=/x/my', text)
    said = capsys.readouterr().err
    assert end.value.code == 2 and 'is not KEY=VALUE' in said and 'if it contains spaces' in said


def test_what_was_typed_becomes_what_the_setting_is(parse, cfg):
    cfg.merge_from_dict({'root': 'data', 'size': (64, 112), 'none': None, 'hooks': dict(a=dict(type='A'))})
    merge_overrides(cfg, parse('root=/x/my data, 2', 'width=2', 'size=128,224', 'none=5', 'hooks.a=None', 'new=1,2',
                               'losses.l1=1e2', 'losses.off=true', 'steps.0.type=B, C'))
    assert cfg.to_dict() == dict(
        root='/x/my data, 2', width=2, size=(128, 224), none=5, hooks=dict(a=None), new=[1, 2],
        losses=dict(l1=100, off=True), steps=[dict(type='B, C'), 3])


def test_values_of_a_program_stay_as_they_are(cfg):
    merge_overrides(cfg, {'width': '2', 'losses.l1': 'x, y', 'steps': 'None'})
    assert cfg.to_dict() == dict(width='2', losses=dict(l1='x, y'), steps='None')


@pytest.mark.parametrize('own', ['train', ['bear', 'boat']])
@pytest.mark.parametrize('typed, value', [('dev10', 'dev10'), ('[dog]', ['dog']), ('[my dog,7]', ['my dog', '7'])])
def test_brackets_make_a_list_of_what_may_be_text_or_a_list(parse, own, typed, value):
    dataset = dict(type='DAVISDataset', data_root='[x]', split=own)
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    merge_overrides(cfg, parse(f'test_dataloader.dataset.split={typed}', 'test_dataloader.dataset.data_root=[y]'))
    assert cfg.test_dataloader.dataset.to_dict() == dict(dataset, split=value, data_root='[y]')


@pytest.mark.parametrize('option, value', [
    ('resolution=480', '480'), ('split=2016', '2016'), ('sequences=my dog', ['my dog']),
    ('split=bear,boat', 'bear,boat'), ('split=[bear,my dog]', ['bear', 'my dog']), ('split="[bear]"', '[bear]'),
    ('sequences=a,b c', ['a', 'b c']), ('sequences=None', None), ('size=64', 64), ('test_mode=true', True)])
def test_what_the_config_leaves_out_is_of_the_kind_of_the_parameter(parse, option, value):
    cfg = Config(dict(test_dataloader=dict(dataset=dict(type='DAVISDataset', data_root='data'))))
    merge_overrides(cfg, parse(f'test_dataloader.dataset.{option}'))
    assert cfg.test_dataloader.dataset[option.split('=')[0]] == value
    merge_overrides(cfg, parse('load_from=/x/2016, new', 'model.flow.type=RAFTFlow', 'model.flow.weights=2016'))
    assert cfg.load_from == '/x/2016, new' and cfg.model.flow.weights == '2016'


def test_two_readings_are_told_with_the_name_of_the_setting(parse, cfg, monkeypatch):
    said = []
    monkeypatch.setattr('tempseg_mm.settings.overrides.print_log', lambda text, **_: said.append(text))
    merge_overrides(cfg, parse('own.names=a,b'))
    assert cfg.own.names == ['a', 'b'] and said == [
        """own.names: 'a,b' is read as the list ['a', 'b']; write "'a,b'" if it is one text"""]


@pytest.mark.parametrize('option', ['width=x', 'losses=5', 'steps.0=x', 'new=[1,2'])
def test_what_is_no_such_value_is_refused_by_name(parse, cfg, option):
    with pytest.raises(SettingError, match=re.escape(f'{option} cannot be read: ')):
        merge_overrides(cfg, parse(option))


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
    with pytest.raises(ValueError, match=r'the overrides \{.*\} do not fit the config \(.*\): a key may lead only'):
        merge_overrides(cfg, options)
