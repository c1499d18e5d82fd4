"""Stores the generators adapted to the objects of a sequence, to resume a run or to correct its result."""

import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from tempseg_mm.runtime.atomic import written_beside

from .given_fit import GivenFit
from .online_finetuner import AdaptedGenerator


class AdaptedFiles:
    """A folder with one file per object, ``object_1.pth``, ``object_2.pth``, ...: its weights, losses and seconds.

    Args:
        folder: path of the folder; created by the first :meth:`keep`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def keep(self, object_id: int, adapted: AdaptedGenerator) -> None:
        """Write the generator of an object atomically, with the weights that fine-tuning ended with."""
        trained = adapted.trained or adapted.generator
        with written_beside(self.file(object_id)) as path:
            torch.save(dict(weights=trained.state_dict(), losses=adapted.losses, seconds=adapted.seconds,
                            fit=adapted.fit and asdict(adapted.fit)), path)

    def kept(self, object_id: int, like: nn.Module) -> AdaptedGenerator | None:
        """Read the generator of an object; return ``None`` if there is none.

        Args:
            object_id: id of the object.
            like: a generator of the same architecture; the weights are loaded into it.

        Raises:
            RuntimeError: if the weights are of another architecture.
        """
        if not self.file(object_id).is_file():
            return None
        saved = torch.load(self.file(object_id), map_location='cpu', weights_only=True)
        like.load_state_dict(saved['weights'])
        return AdaptedGenerator(like.eval().requires_grad_(False), saved['losses'], saved['seconds'],
                                saved['fit'] and GivenFit(**saved['fit']))

    def forget(self, object_id: int) -> None:
        """Remove the generator of an object, if there is one."""
        self.file(object_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all stored generators."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, object_id: int) -> Path:
        """Return the path of the generator of an object."""
        return self.folder / f'object_{object_id}.pth'
