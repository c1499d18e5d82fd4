"""Describes a row of a table: a config with overrides, and the weights to test. ``tables.py`` lists the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OWN, NONE = 'own', 'none'


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        key: name of its folder.
        title: its name in the table.
        config: path below ``configs``; ``{base}`` stands for the preset's config.
        paper: mean J in the paper, in per cent; ``None`` if the paper has no such row.
        weights: ``'own'`` if the row trains; ``'none'`` for initial weights; else the key of the row that trains them.
        against: key of the row that it is compared with.
        base: the config of the preset that an ablation starts from: ``'base'`` or ``'light'``.
        options: further arguments of tempseg-test.
        overrides: overrides of the config, as in ``--cfg-options``, also for the row's own training. ``$NAME`` is an
            environment variable.
        presets: names of the presets that have this row; empty for all.
        needs: environment variables that the row needs, each with its meaning.
        curve: True if the curve of J against seconds of fine-tuning goes through this row.
    """
    key: str
    title: str
    config: str = '{base}.py'
    paper: float | None = None
    weights: str = OWN
    against: str = 'full'
    base: str = 'base'
    options: tuple = ()
    overrides: tuple = ()
    presets: tuple = ()
    needs: tuple = ()
    curve: bool = False


@dataclass(frozen=True)
class Preset:
    """The configs that rows start from, and overrides that set the size of the runs.

    Attributes:
        base: config of the method, without suffix.
        light: config of the generator for which there are ImageNet weights.
        options: overrides for every run, as in ``--cfg-options``.
    """
    base: str
    light: str
    options: tuple = ()


def by_reason(rows: Sequence[Row], reasons: Mapping[str, str]) -> list[str]:
    """Return ``'title; title: reason'`` for each reason why rows did not run.

    Args:
        rows: rows of a table, in order.
        reasons: key of a row -> why it did not run; rows without a reason are skipped.
    """
    found: dict = {}
    for row in rows:
        if row.key in reasons:
            found.setdefault(reasons[row.key], []).append(row.title)
    return [f'{"; ".join(titles)}: {reason}' for reason, titles in found.items()]
