"""Overrides of a config and files of weights: put in place or refused with ValueError."""

import argparse
import warnings

import pytest
import torch
from fuzz.damage import budget, damaged
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config
from safetensors.torch import save_file

from tempseg_mm.apis.config import load_config
from tempseg_mm.runtime.weight_files import read_weights
from tempseg_mm.settings.typed_text import ConfigOverrides, TypedText, read_value

KEYS = ['model', 'width', 'train_dataloader', 'pipeline', '0', '7', '²', '-1', 'type', '_delete_', 'items',
        'default_hooks', 'results', 'work_dir', '_base_', '__class__']
VALUES = st.one_of(st.sampled_from(['None', 'True', '1,2', '[(1,2),(3,4)]', '[1,2', '1),', 'f(1,2)', '()', '[]', '""']),
                   st.text('abc019.,[]()\'" =-e', max_size=12))
OVERRIDES = st.builds('{}={}'.format, st.lists(st.sampled_from(KEYS), min_size=1, max_size=4).map('.'.join), VALUES)
CONFIG = dict(model=dict(type='A', width=1.0), train_dataloader=dict(pipeline=[dict(type='B'), 3]),
              default_hooks=dict(results=dict(type='ResultHook')))
FILES = ['zip.pth', 'legacy.pth', 'checkpoint.pth', 'plain.safetensors']
WEIGHTS = {'conv.weight': torch.arange(6.).reshape(2, 3), 'conv.bias': torch.ones(2, dtype=torch.bfloat16)}


@pytest.fixture(scope='module')
def config_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'mine.py'
    Config(CONFIG).dump(path)
    return str(path)


@budget(150)
@given(texts=st.one_of(st.lists(OVERRIDES, min_size=1, max_size=3), st.lists(st.text(max_size=10), min_size=1)))
def test_overrides(config_file, texts):
    parsed = argparse.Namespace()
    try:
        ConfigOverrides(['--cfg-options'], 'options')(argparse.ArgumentParser(), parsed, texts)
        options = parsed.options
        cfg = load_config(config_file, options=options)
    except (argparse.ArgumentError, ValueError) as error:
        assert str(error)
        return
    assert isinstance(cfg, Config)


@budget(300)
@given(text=st.one_of(VALUES, st.text(max_size=20)), own=st.sampled_from(
    ['a', 1, 1.0, True, None, [1, 2], ['a'], (1, 2), [], dict(a=1), [dict(a=1)]]))
def test_typed_text(text, own):
    try:
        value = read_value(TypedText(text), own)
    except ValueError as error:
        assert str(error) and not isinstance(own, str)
        return
    if isinstance(own, str):
        assert value in (text, text[1:-1], None)
    if isinstance(own, dict):
        assert value is None or isinstance(value, (dict, list, tuple, str))


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Name -> bytes of the same weights: two formats of torch.save, a checkpoint, safetensors."""
    folder = tmp_path_factory.mktemp('weights')
    torch.save(WEIGHTS, folder / 'zip.pth')
    torch.save(WEIGHTS, folder / 'legacy.pth', _use_new_zipfile_serialization=False)
    torch.save(dict(state_dict=WEIGHTS, meta=dict(iter=3)), folder / 'checkpoint.pth')
    save_file(WEIGHTS, folder / 'plain.safetensors')
    return lambda name: (folder / name).read_bytes()


def test_weights_that_are_whole(weights, tmp_path):
    """Else the test below would pass with a reader that refuses everything."""
    for name in FILES:
        (tmp_path / name).write_bytes(weights(name))
        torch.testing.assert_close(read_weights(str(tmp_path / name)), WEIGHTS)


@budget(200)
@given(data=st.data(), name=st.sampled_from(FILES))
def test_weights_that_are_damaged(weights, tmp_path, data, name):
    path = tmp_path / f'a{name[name.rindex("."):]}'
    path.write_bytes(data.draw(damaged([weights(name)])))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        try:
            state = read_weights(str(path))
        except (OSError, ValueError) as error:
            assert str(path) in str(error)
        else:
            assert all(isinstance(value, torch.Tensor) for value in state.values())
    assert len(said) <= 2
