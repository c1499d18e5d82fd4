"""Weights from a file or a URL, as a state dict. Used by backbones and flow networks; nothing in a file is executed."""

import hashlib
import pickle
import re
import textwrap
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse

import torch

NAMED_DIGITS = re.compile(r'-([0-9a-f]{8,64})\.\w+$')  # as in vgg16-397923af.pth


def read_weights(source: str, *, sha256: str | None = None) -> dict:
    """The state dict in a file, unwrapped if the file is a checkpoint that holds it as ``state_dict``.

    Args:
        source: path, or URL (with ``://``). What comes from a URL is kept in ``checkpoints`` of ``torch.hub.get_dir()``
            (set ``TORCH_HOME`` for another place). ``.safetensors`` needs the package of that name; everything else is
            read by ``torch.load(weights_only=True)``.
        sha256: the file's digest in hexadecimal, the first 8 digits or more. ``None``: for a URL the digits that its
            name ends in, as those of PyTorch do (``vgg16-397923af.pth``); a path is then not checked.

    Returns:
        Name -> tensor, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if a URL cannot be reached.
        ValueError: for another digest than ``sha256``, or a file that holds no state dict.
        ImportError: for a ``.safetensors`` file without the package.
    """
    return _state_dict(local_weights(source, sha256=sha256))


def local_weights(source: str, *, sha256: str | None = None) -> Path:
    """Where :func:`read_weights` would read: the path itself, or what was downloaded, its digest checked.

    Raises:
        OSError, ValueError: as :func:`read_weights`, but for what is wrong inside of the file.
    """
    if sha256 is not None and not re.fullmatch(r'[0-9a-f]{8,64}', sha256):
        raise ValueError(f'sha256 must be 8 to 64 lower-case hexadecimal digits, got {sha256!r}')
    if '://' in source:
        named = NAMED_DIGITS.search(urlparse(source).path)
        sha256 = sha256 or (named and named.group(1))
        path = _downloaded(source, sha256)
    else:
        path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f'no weights at {path}')
    if sha256 is not None:
        _require_digest(path, sha256)
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _downloaded(url: str, sha256: str | None) -> Path:
    path = Path(torch.hub.get_dir()) / 'checkpoints' / Path(urlparse(url).path).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), sha256, progress=False)  # checks, then moves into place
        except URLError as error:
            raise OSError(f'{url} cannot be reached ({error.reason}): download it elsewhere and name the file instead '
                          'of the URL') from error
        except RuntimeError as error:
            raise ValueError(f'what came from {url} is not what was expected: {error}. Try again; if it stays so, the '
                             'file on the server has changed') from error
    return path


def _require_digest(path: Path, sha256: str) -> None:
    digest = file_digest(path)
    if not digest.startswith(sha256):
        raise ValueError(f'{path} has the SHA-256 {digest}, expected {sha256}...: it is damaged or another file; '
                         'remove it and get it anew')


def _state_dict(path: Path) -> dict:
    if path.suffix == '.safetensors':
        try:
            from safetensors.torch import load_file
        except ImportError as error:
            raise ImportError(f'reading {path} needs a package that is not installed: pip install safetensors'
                              ) from error
        return load_file(path)
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = textwrap.shorten(f'{type(error).__name__} {error}', 160, placeholder=' ...')
        raise ValueError(f'{path} cannot be read as weights ({reason}): it is damaged, or holds more than tensors and '
                         'plain types') from error
    content = content.get('state_dict', content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ValueError(f'{path} holds no state dict: expected names and tensors, or a checkpoint with `state_dict`')
    return content
