from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tempseg_mm.models.generator_weights import (
    load_generator,
    read_metadata,
    require_same_architecture,
    save_generator,
    told_by,
)
from tempseg_mm.runtime.weight_files import file_digest


def test_equal_architectures_pass():
    require_same_architecture({'a': torch.zeros(2)}, {'a': torch.ones(2)})


@pytest.mark.parametrize('saved, fault', [
    ({}, r'missing a \(2, 3\)'),
    ({'a': torch.zeros(2, 3), 'b': torch.zeros(4)}, r'unknown b \(4,\)'),
    ({'a': torch.zeros(3, 2)}, r'a is \(3, 2\), the model has \(2, 3\)'),
])
def test_another_architecture_is_described(saved, fault):
    with pytest.raises(ValueError, match=f'another architecture.*{fault}.*Use the config'):
        require_same_architecture(saved, {'a': torch.zeros(2, 3)})


def test_long_lists_are_cut():
    with pytest.raises(ValueError, match=r'k4 \(1,\) \.\.\. and 3 more') as error:
        require_same_architecture({}, {f'k{i}': torch.zeros(1) for i in range(8)})
    assert 'k5' not in str(error.value)


@pytest.fixture
def trained(make_model):
    """A model whose every weight and statistic is its own."""
    model = make_model()
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5)
    return model


def generator_state(model):
    return {key: value.clone() for key, value in model.generator.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) and a[key].dtype == b[key].dtype for key in a)


@pytest.mark.parametrize('name, content', [
    ('checkpoint.pth', lambda model: dict(state_dict=model.state_dict(), meta=dict(epoch=1), optimizer=dict())),
    ('model.pth', lambda model: model.state_dict()),
    ('generator.pth', lambda model: model.generator.state_dict()),
    ('prefixed.pth', lambda model: {f'generator.{k}': v for k, v in model.generator.state_dict().items()}),
    ('model.safetensors', lambda model: model.state_dict()),
    ('generator.safetensors', lambda model: model.generator.state_dict()),
])
def test_any_file_that_holds_the_generator(trained, make_model, tmp_path, name, content):
    path = tmp_path / name
    (save_file if path.suffix == '.safetensors' else torch.save)(content(trained), path)
    model = make_model()
    adversary = {key: value.clone() for key, value in model.adversary.state_dict().items()}
    load_generator(model, path)
    assert same(model.generator.state_dict(), trained.generator.state_dict())
    assert same(model.adversary.state_dict(), adversary)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_becomes_the_type_of_the_model(trained, make_model, tmp_path, dtype):
    torch.save({k: v.to(dtype) if v.is_floating_point() else v for k, v in generator_state(trained).items()},
               tmp_path / 'half.pth')
    model = make_model()
    load_generator(model, str(tmp_path / 'half.pth'))
    for key, value in generator_state(trained).items():
        assert torch.equal(model.generator.state_dict()[key], value.to(dtype).to(value.dtype)
                           if value.is_floating_point() else value)


def test_a_saved_generator_comes_back(trained, make_model, tmp_path):
    save_generator(trained, tmp_path / 'full.safetensors', half=False)
    save_generator(trained, tmp_path / 'a/half.safetensors')
    full, half = make_model(), make_model()
    load_generator(full, tmp_path / 'full.safetensors', sha256=file_digest(tmp_path / 'full.safetensors'))
    load_generator(half, tmp_path / 'a/half.safetensors')
    assert same(full.generator.state_dict(), trained.generator.state_dict())
    sizes = [(tmp_path / name).stat().st_size for name in ('a/half.safetensors', 'full.safetensors')]
    assert sizes[0] < 0.6 * sizes[1]
    frames, references = torch.randint(0, 256, (1, 3, 20, 27)).float(), torch.rand(1, 1, 20, 27)
    for model in (trained, half):
        model.eval()
    torch.testing.assert_close(half.predict(frames, references), trained.predict(frames, references),
                               atol=0.02, rtol=0)


def test_what_half_precision_cannot_hold_stays_whole(trained, tmp_path):
    name = next(key for key in trained.generator.state_dict() if key.endswith('running_var'))
    trained.generator.state_dict()[name][0] = 1e5  # beyond 65504
    save_generator(trained, tmp_path / 'a.safetensors')
    saved = load_file(tmp_path / 'a.safetensors')
    assert saved[f'generator.{name}'].dtype == torch.float32 and saved[f'generator.{name}'][0] == 1e5
    others = {value.dtype for key, value in saved.items() if key != f'generator.{name}'}
    assert others == {torch.float16, torch.int64}  # the latter counts batches
    assert all(key.startswith('generator.') for key in saved)


def test_layout_in_memory_does_not_matter(trained, make_model, tmp_path):
    expected = generator_state(trained)
    save_generator(trained.to(memory_format=torch.channels_last), tmp_path / 'a.safetensors', half=False)
    model = make_model()
    load_generator(model, tmp_path / 'a.safetensors')
    assert same(model.generator.state_dict(), expected)


def test_metadata(trained, tmp_path):
    save_generator(trained, tmp_path / 'a.safetensors', metadata=dict(config='x.py', width='0.0625'))
    assert read_metadata(tmp_path / 'a.safetensors') == dict(config='x.py', width='0.0625')
    save_file({}, tmp_path / 'b.safetensors')
    assert read_metadata(tmp_path / 'b.safetensors') == read_metadata(tmp_path / 'gone.pth') == {}
    assert load_generator(trained, tmp_path / 'a.safetensors') == dict(config='x.py', width='0.0625')
    assert told_by(tmp_path / 'a.safetensors') == ' The metadata of the file: config x.py, width 0.0625.'
    assert told_by(tmp_path / 'b.safetensors') == ''


def test_another_architecture_names_what_the_file_tells(make_model, tmp_path):
    wider = make_model(width=0.125)
    save_generator(wider, tmp_path / 'a.safetensors', metadata=dict(config='wide.py', width='0.125'))
    torch.save(wider.state_dict(), tmp_path / 'a.pth')
    model = make_model()
    before = generator_state(model)
    with pytest.raises(ValueError, match=r'a\.safetensors: .*another architecture.*Use the config .*config wide\.py, '
                                         r'width 0\.125'):
        load_generator(model, tmp_path / 'a.safetensors')
    with pytest.raises(ValueError, match=r'a\.pth: .*another architecture.*trained with\.$'):
        load_generator(model, tmp_path / 'a.pth')
    assert same(model.generator.state_dict(), before)


def test_files_that_are_refused(trained, make_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no weights at .*gone\.pth'):
        load_generator(make_model(), tmp_path / 'gone.pth')
    save_generator(trained, tmp_path / 'a.safetensors')
    with pytest.raises(ValueError, match='is damaged, or it is another file'):
        load_generator(make_model(), tmp_path / 'a.safetensors', sha256='0' * 64)
    with pytest.raises(ValueError, match=r"must end in \.safetensors, got 'a\.pth'"):
        save_generator(trained, tmp_path / 'a.pth')


def test_a_failed_write_leaves_what_was_there(trained, tmp_path, monkeypatch):
    path = tmp_path / 'a.safetensors'
    path.write_bytes(b'before')

    def full_disk(beside, content):
        with open(beside, 'wb') as file:
            file.write(content[:9])
        raise OSError('no space left')
    monkeypatch.setattr(Path, 'write_bytes', full_disk)
    with pytest.raises(OSError, match='no space'):
        save_generator(trained, path)
    assert path.read_bytes() == b'before' and list(tmp_path.iterdir()) == [path]
