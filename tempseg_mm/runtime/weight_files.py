"""Weights and checkpoints from a file or a URL. The project loads all of them here; nothing in them is executed."""

import hashlib
import logging
import os.path as osp
import re
import textwrap
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urldefrag, urlparse

import torch
from mmengine.logging import print_log

from tempseg_mm.runtime.plain_pickle import load_plain

NAMED_DIGITS = re.compile(r'-([0-9a-f]{8,64})\.\w+$')  # digest in a name such as vgg16-397923af.pth
DIGEST = 'sha256='


def read_weights(source: str, *, sha256: str | None = None) -> dict:
    """Read the state dict of a file; take it from the key ``state_dict`` if the file is a checkpoint.

    Args:
        source: path, or URL (with ``://``). A download is kept in ``checkpoints`` of ``torch.hub.get_dir()`` (set
            ``TORCH_HOME`` to move it). ``.safetensors`` files need the package safetensors; all other files are read by
            ``torch.load(weights_only=True)``.
        sha256: the file's digest in hexadecimal, or at least its first 8 digits. ``None``: for a URL, the digits after
            ``#sha256=`` or at the end of its name, as in PyTorch's ``vgg16-397923af.pth``, are checked; a path is not
            checked.

    Returns:
        Name -> tensor, on the CPU.

    Raises:
        FileNotFoundError: if the file does not exist.
        OSError: if a URL cannot be reached.
        ValueError: if the digest differs from ``sha256``, if the file holds no state dict, or if reading it could run
            code.
        ImportError: for a ``.safetensors`` file if that package is not installed.
    """
    content = read_checkpoint(source, sha256=sha256)
    return content.get('state_dict', content)


def read_checkpoint(source: str, map_location: str | torch.device | None = None, *, sha256: str | None = None) -> dict:
    """Read the whole content of a training checkpoint or a file of weights.

    Args:
        source: as for :func:`read_weights`.
        map_location: device of the tensors; ``None``: the CPU.
        sha256: as for :func:`read_weights`.

    Returns:
        The content without the text of the config in it, because mmengine would run that text as Python.

    Raises:
        OSError, ValueError, ImportError: as :func:`read_weights`.
    """
    path = local_weights(source, sha256=sha256)
    content = _content(path, map_location or 'cpu')
    weights = content.get('state_dict', content) if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ValueError(f'{path} holds no state dict: expected names and tensors, or a checkpoint with `state_dict`')
    if isinstance(content.get('meta'), dict):
        content['meta'].pop('config', None)
    return content


def local_weights(source: str, *, sha256: str | None = None) -> Path:
    """Return the path of the file that :func:`read_weights` would read; download it if needed and check its digest.

    Raises:
        OSError, ValueError: as :func:`read_weights`, except for faults inside the file.
    """
    if sha256 is not None:
        _require_digits(sha256)
    if '://' in source:
        path, sha256 = _downloaded(source, sha256)
    else:
        path = Path(osp.expanduser(source))
    if not path.is_file():
        raise FileNotFoundError(f'no weights at {path}')
    if sha256 is not None:
        _require_digest(path, sha256)
    return path


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _downloaded(source: str, sha256: str | None) -> tuple[Path, str | None]:
    """Return the local copy of a URL, downloaded if it is missing, and its expected digits if they are known."""
    url, fragment = urldefrag(source)
    if sha256 is None and fragment.startswith(DIGEST):
        sha256 = fragment.removeprefix(DIGEST)
        _require_digits(sha256)
    named = NAMED_DIGITS.search(urlparse(url).path)
    sha256 = sha256 or (named and named.group(1))
    path = Path(torch.hub.get_dir()) / 'checkpoints' / Path(urlparse(url).path).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), sha256, progress=False)  # checks, then moves the file
        except URLError as error:
            raise OSError(f'{url} cannot be reached ({error.reason}): download it elsewhere and name the file instead '
                          'of the URL') from error
        except RuntimeError as error:
            raise ValueError(f'the download from {url} is not the expected file: {error}. Try again; if the error '
                             'stays, the file on the server has changed') from error
    if sha256 is None:
        print_log(f'the content of {url} was not checked, because no digest is given. Write '
                  f'{url}#{DIGEST}{file_digest(path)} to make sure that it stays the file of today.',
                  logger='current', level=logging.WARNING)
    return path, sha256


def _require_digits(sha256: str) -> None:
    if not re.fullmatch(r'[0-9a-f]{8,64}', sha256):
        raise ValueError(f'sha256 must be 8 to 64 lower-case hexadecimal digits, got {sha256!r}')


def _require_digest(path: Path, sha256: str) -> None:
    digest = file_digest(path)
    if not digest.startswith(sha256):
        raise ValueError(f'{path} has the SHA-256 {digest}, expected {sha256}...: the file is damaged, or it is '
                         'another file. Delete it and get it again')


def _content(path: Path, device: str | torch.device) -> object:
    if path.suffix != '.safetensors':
        return load_plain(path, device)
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(f'reading {path} needs a package that is not installed: pip install safetensors') from error
    try:
        return load_file(path, device=str(device))
    except Exception as error:  # the package's own error class derives directly from Exception
        reason = textwrap.shorten(str(error), 160, placeholder=' ...')
        raise ValueError(f'{path} cannot be read as weights ({reason}): it is damaged') from error
