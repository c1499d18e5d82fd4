"""Records of finished work: one JSON file each, with the result and fingerprints of the settings behind it.

``ResultHook`` keeps them for the sequences of a test. The rows of a race are kept in the same way.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.differences import ResumeError
from tempseg_mm.runtime.safe_path import inside


def fingerprints(parts: Mapping[str, Any]) -> dict[str, str]:
    """Return a short hash of each part that a result depends on.

    Args:
        parts: name -> plain values or a state dict of tensors. Every bit of a tensor counts.
    """
    return {name: _fingerprint(part) for name, part in parts.items()}


def _fingerprint(part: Any) -> str:
    tensors = isinstance(part, Mapping) and any(isinstance(value, Tensor) for value in part.values())
    if not tensors:
        return sha256(json.dumps(part, sort_keys=True, default=repr).encode()).hexdigest()[:16]
    digest = sha256()
    for name, tensor in sorted(part.items()):
        digest.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}'.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


class Records:
    """Records of the sequences of one test.

    Args:
        folder: folder of the files ``<sequence>.json``.
        made_with: :func:`fingerprints` of this test.
    """

    def __init__(self, folder: str | Path, made_with: Mapping[str, str]) -> None:
        self.folder = Path(folder)
        self.made_with = dict(made_with)

    def clear(self) -> None:
        """Remove the records of an earlier test."""
        for path in self.folder.glob('*.json'):
            path.unlink()

    def check(self) -> int:
        """Return the number of records, after a check that all come from a test with these fingerprints.

        Raises:
            ResumeError: if a record differs, naming the parts that do, or if a file is not a record.
        """
        paths = sorted(self.folder.glob('*.json'))
        for path in paths:
            self._read(path)
        return len(paths)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Save the result of a sequence, plain values without NaN. The file appears whole or not at all."""
        with written_beside(self._path(name)) as beside:
            beside.write_text(json.dumps(dict(made_with=self.made_with, found=content), allow_nan=False) + '\n',
                              encoding='utf-8')

    def read(self, name: str) -> dict | None:
        """Return the saved result of a sequence, or ``None`` if the sequence was not finished.

        Raises:
            ResumeError: as :meth:`check`.
        """
        path = self._path(name)
        return self._read(path) if path.exists() else None

    def _path(self, name: str) -> Path:
        return inside(self.folder, f'{name}.json')

    def _read(self, path: Path) -> dict:
        try:
            record = json.loads(path.read_text(encoding='utf-8'))
            made_with, found = record['made_with'], record['found']
        except (ValueError, KeyError, TypeError) as error:
            raise ResumeError(f'{path} is not a record of a finished sequence: delete it, or test without --resume, '
                              'which starts from the beginning') from error
        differing = [part for part in {**self.made_with, **made_with}
                     if made_with.get(part) != self.made_with.get(part)]
        if differing:
            raise ResumeError(f'{path} was made with other {", ".join(differing)} than this test, so the test cannot '
                              'be resumed: test without --resume, which starts from the beginning, or into another '
                              'folder')
        return found
