import io
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.runtime.plain_pickle import foreign_names, load_plain

PLAIN = dict(
    weights=OrderedDict(a=torch.arange(3.)), half=torch.ones(2, dtype=torch.bfloat16), mask=torch.tensor([True]),
    parameter=nn.Parameter(torch.ones(1)), size=torch.Size([1, 2]), kind=torch.float16, empty=(), text='é', count=2**70,
    several=[1, 2.5, None, True, (1, 2)], shared=torch.zeros(4)[1:])


class Code:
    """Pickles to a call that makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def same(left, right):
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right) and left.dtype == right.dtype
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


@pytest.mark.parametrize('options', [{}, dict(_use_new_zipfile_serialization=False)])  # the latter: before PyTorch 1.6
def test_plain_content_is_read(tmp_path, options):
    torch.save(PLAIN, tmp_path / 'a.pth', **options)
    assert same(load_plain(tmp_path / 'a.pth'), PLAIN)
    assert foreign_names(tmp_path / 'a.pth') == []


@pytest.mark.parametrize('options', [{}, dict(_use_new_zipfile_serialization=False), dict(pickle_protocol=4)])
@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_code_is_named_and_not_run(tmp_path, options):
    torch.save(dict(PLAIN, log=[Code(tmp_path / 'ran')], score=np.float32(1)), tmp_path / 'a.pth', **options)
    with pytest.raises(ValueError, match=r'a\.pth holds more than tensors and plain types: it refers to .*numpy\..*'
                       r'posix.mkdir.*can run code.*If you trust its maker.*weights_only=False'):
        load_plain(tmp_path / 'a.pth')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_a_bare_pickle_is_refused(tmp_path):
    (tmp_path / 'a.pth').write_bytes(pickle.dumps(Code(tmp_path / 'ran')))
    with pytest.raises(ValueError, match='it refers to posix.mkdir. '):
        load_plain(tmp_path / 'a.pth')
    assert not (tmp_path / 'ran').exists()


def test_a_long_list_is_cut(tmp_path):
    kinds = [nn.Linear(1, 1), nn.ReLU(), nn.Tanh(), nn.GELU(), nn.SiLU(), nn.ELU()]
    torch.save(kinds, tmp_path / 'a.pth')
    names = foreign_names(tmp_path / 'a.pth')
    assert 'torch.nn.modules.linear.Linear' in names and len(names) >= 6
    with pytest.raises(ValueError, match=f'and {len(names) - 5} more. Such a file'):
        load_plain(tmp_path / 'a.pth')


def test_the_way_out_works(tmp_path, monkeypatch):
    """The command that the message gives, run as it is."""
    torch.save(dict(state_dict=dict(a=torch.ones(1)), score=np.float32(1)), tmp_path / 'a.pth')
    with pytest.raises(ValueError) as error:
        load_plain(tmp_path / 'a.pth')
    command = str(error.value).split('python -c "')[1].split('"')[0]
    monkeypatch.chdir(tmp_path)
    exec(command, {})
    assert load_plain(tmp_path / 'weights.pth')['a'].tolist() == [1]


def test_archives_that_torch_once_read_without_the_promise_never_reach_it(tmp_path, monkeypatch):
    """weights_only=True did not hold for tar files before torch 2.6 (CVE-2025-32434), nor for TorchScript."""
    monkeypatch.setattr(torch, 'load', lambda *_, **__: pytest.fail('torch.load was called'))
    torch.jit.script(nn.Linear(1, 1)).save(tmp_path / 'script.pth')
    with pytest.raises(ValueError, match='is a TorchScript archive, which can hold code'):
        load_plain(tmp_path / 'script.pth')
    with tarfile.open(tmp_path / 'tar.pth', 'w') as archive:
        archive.addfile(tarfile.TarInfo('pickle'), io.BytesIO())
    with zipfile.ZipFile(tmp_path / 'tar.pth', 'a') as archive:  # now it ends as a zip file does, and is both
        archive.writestr('x/data.pkl', b'')
    with pytest.raises(ValueError, match='is a tar archive, which can hold code'):
        load_plain(tmp_path / 'tar.pth')


@pytest.mark.parametrize('damage', [
    lambda content: b'', lambda content: content[:len(content) // 2], lambda content: content[:-1],
    lambda content: b'not a file of PyTorch', lambda content: bytes(len(content)),
    lambda content: b'PK\x03\x04' + content])
def test_damaged_files_are_called_so(tmp_path, damage):
    torch.save(PLAIN, tmp_path / 'whole.pth')
    (tmp_path / 'a.pth').write_bytes(damage((tmp_path / 'whole.pth').read_bytes()))
    with pytest.raises(ValueError, match=r'a\.pth cannot be read as weights .*it is damaged'):
        load_plain(tmp_path / 'a.pth')


def test_names_put_aside_and_fetched_again_are_found(tmp_path):
    """As protocol 4 writes a module that it names twice."""
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps([os.getcwd, os.mkdir, os.getcwd], protocol=4))
    assert foreign_names(tmp_path / 'a.pkl') == ['posix.getcwd', 'posix.mkdir']
