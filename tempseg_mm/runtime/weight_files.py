"""Weights and checkpoints from a file or a URL. Whatever the project loads goes through here; nothing is executed."""

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

NAMED_DIGITS = re.compile(r'-([0-9a-f]{8,64})\.\w+$')  # as in vgg16-397923af.pth
DIGEST = 'sha256='


def read_weights(source: str, *, sha256: str | None = None) -> dict:
    """The state dict in a file, unwrapped if the file is a checkpoint that holds it as ``state_dict``.

    Args:
        source: path, or URL (with ``://``). What comes from a URL is kept in ``checkpoints`` of ``torch.hub.get_dir()``
            (set ``TORCH_HOME`` for another place). ``.safetensors`` needs the package of that name; everything else is
            read by ``torch.load(weights_only=True)``.
        sha256: the file's digest in hexadecimal, the first 8 digits or more. ``None``: for a URL the digits after its
            ``#sha256=``, or those that its name ends in, as those of PyTorch do (``vgg16-397923af.pth``); a path is
            then not checked.

    Returns:
        Name -> tensor, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if a URL cannot be reached.
        ValueError: for another digest than ``sha256``, a file that holds no state dict, or one that could run code.
        ImportError: for a ``.safetensors`` file without the package.
    """
    content = read_checkpoint(source, sha256=sha256)
    return content.get('state_dict', content)


def read_checkpoint(source: str, map_location: str | torch.device | None = None, *, sha256: str | None = None) -> dict:
    """The whole content of a checkpoint of training, or of a file of weights.

    Args:
        source: as for :func:`read_weights`.
        map_location: of the tensors; ``None``: the CPU.
        sha256: as for :func:`read_weights`.

    Returns:
        What the file holds, without the text of a config in it, which mmengine would run as Python.

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
    """Where :func:`read_weights` would read: the path itself, or what was downloaded, its digest checked.

    Raises:
        OSError, ValueError: as :func:`read_weights`, but for what is wrong inside of the file.
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
    """SHA-256 of a file, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _downloaded(source: str, sha256: str | None) -> tuple[Path, str | None]:
    """The file kept of a URL, fetched if it is not there, and the digits that it must have, if any are known."""
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
            torch.hub.download_url_to_file(url, str(path), sha256, progress=False)  # checks, then moves into place
        except URLError as error:
            raise OSError(f'{url} cannot be reached ({error.reason}): download it elsewhere and name the file instead '
                          'of the URL') from error
        except RuntimeError as error:
            raise ValueError(f'what came from {url} is not what was expected: {error}. Try again; if it stays so, the '
                             'file on the server has changed') from error
    if sha256 is None:
        print_log(f'nothing says which file {url} should be. Write {url}#{DIGEST}{file_digest(path)} to make sure that '
                  'it stays the one of today.', logger='current', level=logging.WARNING)
    return path, sha256


def _require_digits(sha256: str) -> None:
    if not re.fullmatch(r'[0-9a-f]{8,64}', sha256):
        raise ValueError(f'sha256 must be 8 to 64 lower-case hexadecimal digits, got {sha256!r}')


def _require_digest(path: Path, sha256: str) -> None:
    digest = file_digest(path)
    if not digest.startswith(sha256):
        raise ValueError(f'{path} has the SHA-256 {digest}, expected {sha256}...: it is damaged or another file; '
                         'remove it and get it again')


def _content(path: Path, device: str | torch.device) -> object:
    if path.suffix != '.safetensors':
        return load_plain(path, device)
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(f'reading {path} needs a package that is not installed: pip install safetensors') from error
    try:
        return load_file(path, device=str(device))
    except Exception as error:  # its own class, which derives from Exception alone
        reason = textwrap.shorten(str(error), 160, placeholder=' ...')
        raise ValueError(f'{path} cannot be read as weights ({reason}): it is damaged') from error
