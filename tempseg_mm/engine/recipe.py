"""Compares the settings that weights were trained with to those they are used with.

Weights from other settings may fit by shape, and silently give worse masks. The comparison is made wherever weights are
loaded for use: for a test, a video, an export, or as the start of a training.
"""

import json
from collections.abc import Mapping

from tempseg_mm.models.data_preprocessor import IMAGENET_MEAN, IMAGENET_STD
from tempseg_mm.ops.resize import Size
from tempseg_mm.runtime.differences import Difference, differences

from .resumed_settings import read_config_text

KEY = 'recipe'  # key in the metadata of a file of weights
OF_TRAINING = ('init_cfg', 'pretrained', 'dropout', 'norm_eval')  # settings without effect on a trained generator
OF_TEST = ('aspect', 'redetection', 'surroundings')  # settings of windows without effect on training


def recipe_of(cfg: Mapping, part: str = 'train') -> dict:
    """Extract the settings of a config that its weights depend on.

    They are the generator, the normalisation of frames, the windows, and without windows the shorter side of frames.

    Args:
        cfg: plain dicts, lists and values.
        part: ``'train'``: frames as training reads them; ``'test'``: as a test does.

    Returns:
        Settings of types that JSON knows.
    """
    model = cfg.get('model') or {}
    preprocessor = model.get('data_preprocessor') or {}
    dataset = (cfg.get(f'{part}_dataloader') or {}).get('dataset') or {}
    return dict(
        generator=_without({'width': model.get('width', 1.0), **(model.get('generator') or {})}, OF_TRAINING),
        normalisation=dict(mean=list(preprocessor.get('mean', IMAGENET_MEAN)),
                           std=list(preprocessor.get('std', IMAGENET_STD))),
        window=_without(model.get('window'), OF_TEST),
        frames=None if model.get('window') else shorter_side(dataset.get('size')))


def shorter_side(size: Size) -> int | None:
    """Return the shorter side of a working size in pixels; ``None`` if frames keep their stored size."""
    return min(size) if isinstance(size, list | tuple) else size


def told_recipe(told: Mapping) -> dict | None:
    """Read the recipe of weights from the metadata of their file.

    Args:
        told: the ``meta`` of a checkpoint, or the metadata of a file with a generator alone.

    Returns:
        ``None`` if there is no readable recipe.
    """
    if isinstance(told.get(KEY), str):
        try:
            found = json.loads(told[KEY])
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
    trained_with = read_config_text(str(told.get('cfg', '')))
    return None if trained_with is None or 'model' not in trained_with else recipe_of(trained_with)


def other_recipe(told: Mapping, now: Mapping, source: str) -> str | None:
    """Describe, in a sentence, how the settings of a training differ from those the weights are used with.

    Args:
        told: see :func:`told_recipe`.
        now: see :func:`recipe_of`.
        source: name of the file of weights.

    Returns:
        ``None`` if nothing differs, or if the file has no recipe.
    """
    then = told_recipe(told)
    found = [] if then is None else [one for one in differences(then, dict(now)) if not _says_nothing(one)]
    if not found:
        return None
    shown = '; '.join(map(str, found[:5])) + (f'; and {len(found) - 5} more' if len(found) > 5 else '')
    return (f'{source} fits, but was trained with other settings: {shown}. Masks may be much worse. Use the config '
            'that it was trained with, unless you intend this')


def _says_nothing(one: Difference) -> bool:
    """Return True if there are no two sizes to compare: frames as stored, or behind windows, have none."""
    return one.path == 'frames' and None in (one.then, one.now)


def _without(settings: Mapping | None, left_out: tuple) -> dict | None:
    if settings is None:
        return None
    return {key: _without(value, left_out) if isinstance(value, Mapping) else value for key, value in settings.items()
            if key not in left_out}
