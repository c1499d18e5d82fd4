"""Finds the data and weights that the runs of a row need and that are missing, before any run starts."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from tempseg_mm.models.backbones.imagenet_weights import ImageNetWeights
from tempseg_mm.registry import DATASETS

from .rows import Row


def lacking_variables(row: Row) -> list[str]:
    """Return the environment variables that a row needs and that are not set, each with its meaning."""
    return [f'{name} ({what})' for name, what in row.needs if not os.environ.get(name)]


class Lacking:
    """Looks for the data and weights that runs read. Each data set and each network is looked at once."""

    def __init__(self) -> None:
        self._answers: dict = {}

    def reason(self, tested: Config, started: Config | None, *, trains: bool) -> str | None:
        """Return why a row cannot run; ``None`` if nothing is missing.

        Args:
            tested: config of the row's test.
            started: config of the training or test that starts from initial weights; ``None`` if the weights are
                trained.
            trains: True if ``started`` is a training.
        """
        asked: list = [(lacking_data, tested, 'test')]
        if started is not None:
            asked += [(lacking_data, started, 'train')] if trains else []
            asked += [(lacking_weights, started)]
        for ask, cfg, *part in asked:
            key = (ask, repr(cfg.get(f'{part[0]}_dataloader' if part else 'model')))
            if key not in self._answers:
                self._answers[key] = ask(cfg, *part)
            if self._answers[key]:
                return self._answers[key]
        return None


def lacking_data(cfg: Config, part: str) -> str | None:
    """Return why the data set of a config cannot be read; ``None`` if it can. Synthetic data are rendered if needed.

    Args:
        cfg: config; its ``train_dataloader`` or ``test_dataloader`` is looked at, if it has one.
        part: ``'train'`` or ``'test'``.
    """
    dataset = (cfg.get(f'{part}_dataloader') or {}).get('dataset')
    try:
        if dataset is not None:
            DATASETS.build({name: value for name, value in dataset.items() if name != 'pipeline'})
    except (OSError, ValueError) as error:
        return str(error)
    return None


def lacking_weights(cfg: Config) -> str | None:
    """Return why a network's initial weights cannot be read; ``None`` if they can or there are none. URLs are
    downloaded.
    """
    for init in _initialisations(cfg.get('model')):
        try:
            ImageNetWeights(**{name: value for name, value in init.items() if name != 'type'}).local()
        except (OSError, ValueError) as error:
            return str(error)
    return None


def _initialisations(part: Any) -> Iterator[Mapping]:
    if isinstance(part, Mapping):
        if part.get('type') == 'ImageNetWeights' and part.get('checkpoint'):
            yield part
        for value in part.values():
            yield from _initialisations(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _initialisations(value)
