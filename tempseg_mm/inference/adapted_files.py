"""Generators adapted to the objects of a sequence, in files. Used to resume a run, and to correct what it gave."""

import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from tempseg_mm.runtime.atomic import written_beside

from .given_fit import GivenFit
from .online_finetuner import AdaptedGenerator


class AdaptedFiles:
    """A folder with ``object_1.pth``, ``object_2.pth``, ...: weights as fine-tuning left them, losses and seconds.

    Args:
        folder: it; made when something is kept.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def keep(self, object_id: int, adapted: AdaptedGenerator) -> None:
        """Write the generator of an object, whole or not at all."""
        trained = adapted.trained or adapted.generator
        with written_beside(self.file(object_id)) as path:
            torch.save(dict(weights=trained.state_dict(), losses=adapted.losses, seconds=adapted.seconds,
                            fit=adapted.fit and asdict(adapted.fit)), path)

    def kept(self, object_id: int, like: nn.Module) -> AdaptedGenerator | None:
        """Read the generator of an object; ``None``: there is none.

        Args:
            object_id: of the object.
            like: a generator of the same architecture, which takes the weights on.

        Raises:
            RuntimeError: if the weights are those of another architecture.
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
        """Remove all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, object_id: int) -> Path:
        """Where the generator of an object is kept."""
        return self.folder / f'object_{object_id}.pth'
