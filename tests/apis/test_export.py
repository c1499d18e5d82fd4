import copy
import json

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file

from tempseg_mm.apis.export import SUFFIXES, ExportedGenerator, build_generator, export_generator
from tempseg_mm.engine.recipe import KEY, recipe_of
from tempseg_mm.models.generator_weights import load_generator, read_metadata


@pytest.fixture
def cfg(model_cfg, tmp_path):
    """Only what an export needs; the flow network's weights are not there."""
    model = {**model_cfg, 'data_preprocessor': dict(
        type='VOSDataPreprocessor', flow=dict(type='FlowNet2Flow', weights='gone.pth'))}
    Config(dict(model=model, work_dir=str(tmp_path / 'work'))).dump(tmp_path / 'tiny.py')
    return Config.fromfile(tmp_path / 'tiny.py')


@pytest.fixture
def checkpoint(make_model, tmp_path):
    torch.save(dict(state_dict=make_model().state_dict()), tmp_path / 'iter_5.pth')
    return str(tmp_path / 'iter_5.pth')


@pytest.mark.parametrize('file_format', SUFFIXES)
def test_each_format_has_its_place(cfg, checkpoint, file_format):
    if file_format == 'onnx':
        pytest.importorskip('onnxruntime')
    written = export_generator(cfg, file_format, checkpoint=checkpoint)
    assert written.path == f'{cfg.work_dir}/export/generator{SUFFIXES[file_format]}'
    assert written.num_bytes > 10_000
    assert written.difference < (0.02 if file_format == 'safetensors' else 1e-4)


def test_half_precision_tells_where_it_comes_from(cfg, checkpoint, make_model, tmp_path):
    half = export_generator(cfg, 'safetensors', checkpoint=checkpoint, out=str(tmp_path / 'half.safetensors'))
    full = export_generator(cfg, 'safetensors', checkpoint=checkpoint, out=str(tmp_path / 'full.safetensors'),
                            half=False)
    assert half.num_bytes < 0.6 * full.num_bytes and full.difference == 0 < half.difference
    assert {value.dtype for value in load_file(full.path).values()} == {torch.float32, torch.int64}
    told = read_metadata(half.path)
    assert told.pop('project').startswith('tempseg_mm ') and KEY not in told  # the checkpoint does not tell
    assert told == dict(config='tiny.py', weights='iter_5.pth', width='0.0625', reference_mask='input',
                        backbone='TempSegBackbone', decoder='UnpoolDecoder')
    with pytest.raises(ValueError, match=r'another architecture.*config tiny\.py'):
        load_generator(make_model(width=0.125), half.path)


def test_the_recipe_stays_with_the_weights_and_another_one_is_told(cfg, make_model, tmp_path):
    path = tmp_path / 'iter_7.pth'
    torch.save(dict(state_dict=make_model().state_dict(), meta=dict(cfg=f'model = {cfg.model.to_dict()!r}')), path)
    own = export_generator(cfg, 'safetensors', checkpoint=str(path))
    assert own.notices == () and json.loads(read_metadata(own.path)[KEY]) == recipe_of(cfg.to_dict())
    other = copy.deepcopy(cfg)
    other.model.data_preprocessor.mean = (0, 0, 0)
    for weights in (str(path), own.path):
        again = export_generator(other, 'safetensors', checkpoint=weights, out=str(tmp_path / 'again.safetensors'))
        assert len(again.notices) == 1 and 'normalisation.mean' in again.notices[0]
        assert read_metadata(again.path)[KEY] == read_metadata(own.path)[KEY]


def test_what_is_written_says_how_close_it_is():
    def said(**settings):
        return str(ExportedGenerator('g', 4_500_000, 3e-4, **settings))
    assert said() == 'g: 4.5 MB, within 3e-04 of the model'
    assert said(masks_changed=0.0).endswith('model; its masks are the same')
    assert said(masks_changed=0.00123).endswith('; 0.12% of the object pixels change in 8 rendered frames')


def test_without_checkpoint_the_weights_are_fresh_and_the_same_every_time(cfg):
    first, second = build_generator(cfg), build_generator(cfg)
    assert not first.training and first.adversary is None and first.data_preprocessor.flow is None
    for a, b in zip(first.generator.parameters(), second.generator.parameters()):
        assert torch.equal(a, b)


def test_what_cannot_be_exported(cfg, checkpoint):
    with pytest.raises(ValueError, match="must be one of torchscript, onnx, safetensors, got 'tflite'"):
        export_generator(cfg, 'tflite')
    with pytest.raises(ValueError, match='the config has no generator'):
        export_generator(Config(dict(model=dict(type='FrameClassifier'))), 'onnx')
    cfg.model.width = 0.125
    with pytest.raises(ValueError, match='another architecture'):
        export_generator(cfg, 'torchscript', checkpoint=checkpoint)
