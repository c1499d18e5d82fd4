import pytest
import torch
from mmengine.runner import CheckpointLoader, load_checkpoint
from torch import nn

from tempseg_mm.models.checkpoint_schemes import load_from_plain_file, load_from_zoo


def test_none_of_the_readers_of_mmengine_is_left():
    """If a version of mmengine brings another scheme, this says so."""
    assert set(CheckpointLoader._schemes.values()) == {load_from_plain_file, load_from_zoo}
    assert CheckpointLoader._schemes['https://'] is CheckpointLoader._schemes[''] is load_from_plain_file


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_weights_reach_a_module(tmp_path, suffix):
    wanted = nn.Linear(2, 1).state_dict()
    path = tmp_path / f'a{suffix}'
    if suffix == '.pth':
        torch.save(dict(state_dict=wanted), path)
    else:
        pytest.importorskip('safetensors.torch').save_file(wanted, path)
    module = nn.Linear(2, 1)
    load_checkpoint(module, str(path), map_location='cpu')
    assert all(torch.equal(value, wanted[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize('source', ['torchvision://resnet50', 'open-mmlab://x', 'mmcls://x', 's3://bucket/x.pth'])
def test_zoos_are_refused(source):
    with pytest.raises(ValueError, match='names no file. Give the path .*#sha256='):
        load_checkpoint(nn.Linear(1, 1), source)


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match='no weights at gone.pth'):
        load_checkpoint(nn.Linear(1, 1), 'gone.pth')
