import json
import sys

import pytest
import torch
from torch import nn

from tempseg_mm.inference.generator_export import (
    BareGenerator,
    changed_masks,
    largest_difference,
    write_onnx,
    write_torchscript,
)

PARTS = [('TempSegBackbone', 'UnpoolDecoder', 'input'), ('TempSegBackbone', 'UpsampleDecoder', 'none'),
         ('VGGBackbone', 'UnpoolDecoder', 'none'), ('VGGBackbone', 'UpsampleDecoder', 'input'),
         ('MobileNetV2Backbone', 'UpsampleDecoder', 'input')]
SIZES = [(1, 97, 131), (3, 35, 18), (2, 1, 5), (1, 64, 96)]


@pytest.fixture
def make_parts(make_model):
    """A model of a backbone and a decoder whose statistics are not those of a fresh network."""
    def make(backbone, decoder, reference):
        model = make_model(generator=dict(reference_mask=reference, backbone=dict(type=backbone),
                                          decoder=dict(type=decoder)))
        for module in model.generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        return model.eval()
    return make


def draw(size):
    batch, height, width = size
    return torch.randint(0, 256, (batch, 3, height, width)).float(), torch.rand(batch, 1, height, width).round()


def compared(run, model):
    for size in SIZES:
        frames, references = draw(size)
        expected = model.predict(frames, references)
        assert expected.shape == (size[0], 1, *size[1:])
        inputs = (frames, references)[:1 + model.uses_reference]
        torch.testing.assert_close(run(*inputs), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize('parts', PARTS, ids='-'.join)
def test_torchscript_gives_what_the_model_gives(make_parts, tmp_path, parts):
    model = make_parts(*parts)
    difference = write_torchscript(model, tmp_path / 'a/g.pt', metadata=dict(config='x.py'))
    extra = {'metadata.json': ''}
    read = torch.jit.load(str(tmp_path / 'a/g.pt'), _extra_files=extra)
    compared(read, model)
    assert difference <= 1e-4
    assert json.loads(extra['metadata.json']) == dict(config='x.py')
    assert [path.name for path in (tmp_path / 'a').iterdir()] == ['g.pt']


@pytest.mark.parametrize('parts', PARTS, ids='-'.join)
def test_onnx_gives_what_the_model_gives(make_parts, tmp_path, parts):
    runtime, _ = pytest.importorskip('onnxruntime'), pytest.importorskip('onnx')
    model = make_parts(*parts)
    assert write_onnx(model, tmp_path / 'g.onnx', metadata=dict(config='x.py')) <= 1e-4
    session = runtime.InferenceSession(str(tmp_path / 'g.onnx'), providers=['CPUExecutionProvider'])
    names = [node.name for node in session.get_inputs()]
    assert names == ['frames', 'reference_masks'][:1 + model.uses_reference]
    assert [node.name for node in session.get_outputs()] == ['probabilities']
    assert session.get_modelmeta().custom_metadata_map == dict(config='x.py')
    compared(lambda *inputs: torch.from_numpy(session.run(None, {
        name: value.numpy() for name, value in zip(names, inputs)})[0]), model)


def test_the_model_stays_as_it_was(make_model, tmp_path):
    model = make_model().train()
    write_torchscript(model, tmp_path / 'g.pt')
    assert model.training and model.generator.training
    assert all(parameter.requires_grad for parameter in model.generator.parameters())
    assert BareGenerator(model).inputs == ('frames', 'reference_masks')


def test_onnx_without_its_packages(make_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(ImportError, match='pip install onnx onnxruntime'):
        write_onnx(make_model(), tmp_path / 'g.onnx')


def test_parts_that_do_not_fit_are_refused(make_parts, tmp_path):
    model = make_parts('MobileNetV2Backbone', 'UnpoolDecoder', 'input')
    with pytest.raises(ValueError, match="Use decoder=dict\\(type='UpsampleDecoder'\\)"):
        write_torchscript(model, tmp_path / 'g.pt')
    assert not (tmp_path / 'g.pt').exists()


class FixedSize(nn.Module):
    """Remembers the size it was traced with."""
    uses_reference = True

    def forward(self, frames, reference_masks):
        height, width = (int(size) for size in frames.shape[-2:])
        return nn.functional.interpolate(reference_masks, size=(height, width))


class Untraceable(FixedSize):
    """Gives no tensor."""

    def forward(self, frames, reference_masks):
        return reference_masks.numpy()


@pytest.mark.parametrize('generator, fault', [
    (FixedSize(), 'differ from those of the model by inf.*no file was left'),
    (Untraceable(), 'cannot be written as TorchScript'),
])
def test_a_component_that_cannot_be_exported(make_model, tmp_path, generator, fault):
    model = make_model()
    model.generator = generator
    with pytest.raises(ValueError, match=fault):
        write_torchscript(model, tmp_path / 'g.pt')
    assert list(tmp_path.iterdir()) == []


def test_largest_difference():
    def constant(value):
        return lambda frames, references: torch.full_like(references, value)
    assert largest_difference(constant(0.5), constant(0.5)) == 0
    assert largest_difference(constant(0.5), constant(0.25)) == 0.25
    assert largest_difference(constant(float('nan')), constant(0.25)) == float('inf')
    tries = []

    def once(frames, references):
        tries.append(frames.shape)
        return torch.full_like(references, 0.75 if len(tries) == 1 else 0.25 + 5e-5)
    assert largest_difference(once, constant(0.25)) == pytest.approx(5e-5, rel=1e-3)
    assert len(tries) == 5  # four sizes, one of them tried again


def test_share_of_the_object_whose_mask_changes():
    def ring(frames, references):  # the reference, and what lies within two pixels of it
        return nn.functional.max_pool2d(references, 5, stride=1, padding=2)

    def same(frames, references):
        assert frames.shape == (1, 3, 128, 224) and references.shape == (1, 1, 128, 224)
        assert references.sum() > 100 and frames.std() > 10
        return references
    seen = []
    share = changed_masks(lambda *inputs: seen.append(inputs[1]) or ring(*inputs), same)
    larger, smaller = (sum(int(way(None, mask).sum()) for mask in seen) for way in (ring, lambda _, mask: mask))
    assert len(seen) == 8 and share == pytest.approx((larger - smaller) / larger) and 0.05 < share < 0.9
    assert changed_masks(same, lambda *inputs: 0.51 * same(*inputs)) == 0
    assert changed_masks(same, lambda *inputs: 0.5 * same(*inputs)) == 1
    assert changed_masks(*[lambda frames, references: 0 * references] * 2) is None
