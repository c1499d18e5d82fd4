"""What a row of a table is: a config with overrides, and whose weights it is tested with. Listed in ``tables.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OWN, NONE = 'own', 'none'


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        key: name of its folder.
        title: what the table calls it.
        config: below ``configs``; ``{base}`` stands for the preset's.
        paper: J mean that the paper prints, in per cent; ``None`` where it has no such row.
        weights: ``'own'``: trained for this row; ``'none'``: the initial ones; else the key of the row that trains.
        against: key of the row from which the difference is taken.
        base: which config of the preset an ablation is a delta of: ``'base'`` or ``'light'``.
        options: further arguments of tempseg-test.
        overrides: of the config, as in ``--cfg-options``; for training too where the row trains. ``$NAME`` is an
            environment variable.
        presets: names of the presets that have this row; empty: all.
        needs: environment variables without which the row can't run, with what they should name.
        curve: its point of J against seconds of fine-tuning is joined with those of the others so marked.
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
    """Which configs the rows are deltas of, and how they are cut to size.

    Attributes:
        base: config of the method, without suffix.
        light: config of the generator for which there are ImageNet weights.
        options: overrides for every run, as in ``--cfg-options``.
    """
    base: str
    light: str
    options: tuple = ()


def by_reason(rows: Sequence[Row], reasons: Mapping[str, str]) -> list[str]:
    """``'title; title: reason'`` for each reason why rows did not run.

    Args:
        rows: of a table, in order.
        reasons: key of a row -> why; rows without one are left out.
    """
    found: dict = {}
    for row in rows:
        if row.key in reasons:
            found.setdefault(reasons[row.key], []).append(row.title)
    return [f'{"; ".join(titles)}: {reason}' for reason, titles in found.items()]
