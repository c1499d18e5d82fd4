import hashlib
import sys

import pytest
import torch

from tempseg_mm.runtime.weight_files import file_digest, local_weights, read_checkpoint, read_weights


def saved(path, content=None, **options):
    torch.save(dict(a=torch.arange(3.)) if content is None else content, path, **options)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The folder that downloads are kept in."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    return tmp_path / 'hub' / 'checkpoints'


@pytest.fixture
def published(tmp_path, hub):
    """A file whose name ends in its digest's first digits, as torchvision's; and its URL."""
    path = saved(tmp_path / 'net.pth')
    path = path.rename(tmp_path / f'net-{digest(path)[:8]}.pth')
    return path, path.as_uri()


@pytest.mark.parametrize('options', [{}, dict(_use_new_zipfile_serialization=False)])  # the latter: before PyTorch 1.6
def test_plain_state_dict(tmp_path, options):
    assert read_weights(str(saved(tmp_path / 'a.pth', **options)))['a'].tolist() == [0, 1, 2]


def test_checkpoint_is_unwrapped(tmp_path):
    path = saved(tmp_path / 'a.pth', dict(state_dict=dict(b=torch.ones(1)), meta=dict(epoch=3)))
    assert list(read_weights(str(path))) == ['b']


def test_digest_is_checked_where_it_is_given(tmp_path):
    path = saved(tmp_path / 'a.pth')
    read_weights(str(path), sha256=digest(path))
    read_weights(str(path), sha256=digest(path)[:8])
    with pytest.raises(ValueError, match=rf'a.pth has the SHA-256 {digest(path)}, expected 0123abcd\.\.\.'):
        read_weights(str(path), sha256='0123abcd')


@pytest.mark.parametrize('sha256', ['397923a', 'xyzxyzxy', '397923AF'])
def test_digest_must_be_one(tmp_path, sha256):
    with pytest.raises(ValueError, match='8 to 64 lower-case hexadecimal digits'):
        read_weights(str(saved(tmp_path / 'a.pth')), sha256=sha256)


def test_download_is_kept(published, hub):
    path, url = published
    assert read_weights(url)['a'].tolist() == [0, 1, 2]
    path.unlink()  # the second time it comes from the folder
    assert read_weights(url)['a'].tolist() == [0, 1, 2]
    assert [file.name for file in hub.iterdir()] == [path.name]


def test_download_must_have_the_digits_of_its_name(published, hub):
    path, url = published
    saved(path, dict(a=torch.zeros(3)))
    with pytest.raises(ValueError, match='is not the expected file.*invalid hash value'):
        read_weights(url)
    assert list(hub.iterdir()) == []


def test_a_kept_file_that_was_damaged_since_is_refused(published, hub):
    path, url = published
    read_weights(url)
    (hub / path.name).write_bytes(b'damaged')
    with pytest.raises(ValueError, match='is damaged, or it is another file. Delete it'):
        read_weights(url)


def test_a_given_digest_goes_before_the_name(tmp_path, hub):
    path = saved(tmp_path / 'net-00000000.pth')
    assert read_weights(path.as_uri(), sha256=digest(path))['a'].tolist() == [0, 1, 2]


def test_unreachable_url(tmp_path, hub):
    url = (tmp_path / 'gone.pth').as_uri()
    with pytest.raises(OSError, match='gone.pth cannot be reached .*name the file instead'):
        read_weights(url)


def test_where_a_file_lies_and_its_digest(tmp_path, published, hub):
    path, url = published
    assert local_weights(str(path)) == path and local_weights(url) == hub / path.name
    assert file_digest(path) == digest(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no weights at .*gone.pth'):
        read_weights(str(tmp_path / 'gone.pth'))


class Anything:
    pass


@pytest.mark.parametrize('content', [b'', b'not a file of PyTorch'])
def test_damaged_file(tmp_path, content):
    path = tmp_path / 'a.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='a.pth cannot be read as weights'):
        read_weights(str(path))


def test_code_in_a_file_is_not_run(tmp_path):
    with pytest.raises(ValueError, match='holds more than tensors and plain types'):
        read_weights(str(saved(tmp_path / 'a.pth', Anything())))


@pytest.mark.parametrize('content', [torch.zeros(2), dict(a=1), dict(state_dict=[1])])
def test_something_else_than_a_state_dict(tmp_path, content):
    with pytest.raises(ValueError, match='holds no state dict'):
        read_weights(str(saved(tmp_path / 'a.pth', content)))


def test_safetensors(tmp_path):
    files = pytest.importorskip('safetensors.torch')
    files.save_file(dict(a=torch.arange(3.)), tmp_path / 'a.safetensors')
    assert read_weights(str(tmp_path / 'a.safetensors'))['a'].tolist() == [0, 1, 2]


def test_safetensors_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'safetensors.torch', None)
    (tmp_path / 'a.safetensors').write_bytes(b'')
    with pytest.raises(ImportError, match='pip install safetensors'):
        read_weights(str(tmp_path / 'a.safetensors'))


def test_damaged_safetensors(tmp_path):
    pytest.importorskip('safetensors.torch')
    (tmp_path / 'a.safetensors').write_bytes(b'damaged')
    with pytest.raises(ValueError, match='a.safetensors cannot be read as weights'):
        read_weights(str(tmp_path / 'a.safetensors'))


def test_a_whole_checkpoint(tmp_path):
    """All but the text that mmengine would run as a config."""
    meta = dict(iter=3, config='import os', cfg='')
    path = saved(tmp_path / 'a.pth', dict(state_dict=dict(b=torch.ones(1)), meta=meta))
    content = read_checkpoint(str(path))
    assert content['meta'] == dict(iter=3, cfg='') and content['state_dict']['b'].tolist() == [1]
    assert read_checkpoint(str(path), 'meta')['state_dict']['b'].is_meta


def test_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    saved(tmp_path / 'a.pth')
    assert read_weights('~/a.pth')['a'].tolist() == [0, 1, 2]


def test_a_digest_in_the_url(tmp_path, hub):
    path = saved(tmp_path / 'net.pth')
    assert read_weights(f'{path.as_uri()}#sha256={digest(path)}')['a'].tolist() == [0, 1, 2]
    assert [file.name for file in hub.iterdir()] == ['net.pth']
    with pytest.raises(ValueError, match=r'net.pth has the SHA-256 .* expected 0123abcd\.\.\.'):
        read_weights(f'{path.as_uri()}#sha256=0123abcd')
    with pytest.raises(ValueError, match='8 to 64 lower-case hexadecimal digits'):
        read_weights(f'{path.as_uri()}#sha256=0')


def test_a_url_that_nothing_pins_is_told_how(tmp_path, hub, monkeypatch):
    said = []
    monkeypatch.setattr('tempseg_mm.runtime.weight_files.print_log', lambda text, **_: said.append(text))
    path = saved(tmp_path / 'net.pth')
    read_weights(path.as_uri())
    assert f'Write {path.as_uri()}#sha256={digest(path)} to make sure' in said[0]
    read_weights(f'{path.as_uri()}#sha256={digest(path)}')
    assert len(said) == 1
