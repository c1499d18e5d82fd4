"""What a row's runs would read and is not there, found out before any of them starts."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from tempseg_mm.models.backbones.imagenet_weights import ImageNetWeights
from tempseg_mm.registry import DATASETS

from .rows import Row


def lacking_variables(row: Row) -> list[str]:
    """Environment variables that a row needs and that are not set, each with what it should name."""
    return [f'{name} ({what})' for name, what in row.needs if not os.environ.get(name)]


class Lacking:
    """Looks for what runs read; at the same data and the same network once."""

    def __init__(self) -> None:
        self._answers: dict = {}

    def reason(self, tested: Config, started: Config | None, *, trains: bool) -> str | None:
        """Why a row cannot run; ``None``: nothing was found.

        Args:
            tested: config of its test.
            started: config of what starts from fresh weights, its training or its test; ``None``: it is trained.
            trains: whether ``started`` is a training.
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
    """Why the data set of a config cannot be read; ``None``: it can. What is to be rendered is rendered.

    Args:
        cfg: its ``train_dataloader`` or ``test_dataloader`` counts, if it has one.
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
    """Why the weights that the network of a config starts from cannot be read; ``None``: they can, or there are none.
    What has a URL is downloaded."""
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
