"""What trained weights rely on besides their shapes. Those of another recipe may fit, and give worse masks in silence.

Used wherever weights are loaded to be used: for a test, a video, an export, as the start of a training.
"""

import json
from collections.abc import Mapping

from tempseg_mm.models.data_preprocessor import IMAGENET_MEAN, IMAGENET_STD
from tempseg_mm.ops.resize import Size
from tempseg_mm.runtime.differences import Difference, differences

from .resumed_settings import read_config_text

KEY = 'recipe'  # among what a file of weights tells of itself
OF_TRAINING = ('init_cfg', 'pretrained', 'dropout', 'norm_eval')  # of a generator: nothing to one that is trained


def recipe_of(cfg: Mapping, part: str = 'train') -> dict:
    """The settings of a config that its weights rely on: the generator, the normalisation of frames, windows, and,
    without windows, the shorter side of the frames.

    Args:
        cfg: plain dicts, lists and values.
        part: ``'train'``: frames as training reads them; ``'test'``: as a test does.

    Returns:
        Of types that JSON knows.
    """
    model = cfg.get('model') or {}
    preprocessor = model.get('data_preprocessor') or {}
    dataset = (cfg.get(f'{part}_dataloader') or {}).get('dataset') or {}
    return dict(
        generator=_without({'width': model.get('width', 1.0), **(model.get('generator') or {})}, OF_TRAINING),
        normalisation=dict(mean=list(preprocessor.get('mean', IMAGENET_MEAN)),
                           std=list(preprocessor.get('std', IMAGENET_STD))),
        window=_without(model.get('window'), ()),
        frames=None if model.get('window') else shorter_side(dataset.get('size')))


def shorter_side(size: Size) -> int | None:
    """Of a working size, in pixels; ``None`` where frames are as stored."""
    return min(size) if isinstance(size, list | tuple) else size


def told_recipe(told: Mapping) -> dict | None:
    """What a file tells of the recipe of its weights.

    Args:
        told: the ``meta`` of a checkpoint, or the metadata of a generator alone.

    Returns:
        ``None`` if it tells nothing that can be read.
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
    """A sentence on weights that fit but were trained with other settings than those they are used with.

    Args:
        told: see :func:`told_recipe`.
        now: see :func:`recipe_of`.
        source: where they are from.

    Returns:
        ``None`` where nothing differs, or the file does not tell.
    """
    then = told_recipe(told)
    found = [] if then is None else [one for one in differences(then, dict(now)) if not _says_nothing(one)]
    if not found:
        return None
    shown = '; '.join(map(str, found[:5])) + (f'; and {len(found) - 5} more' if len(found) > 5 else '')
    return (f'{source} fits, but was trained with other settings: {shown}. Masks may be much worse: use the config '
            'that it was trained with, unless this is meant')


def _says_nothing(one: Difference) -> bool:
    """Frames as stored, or behind windows, have no size to compare."""
    return one.path == 'frames' and None in (one.then, one.now)


def _without(settings: Mapping | None, left_out: tuple) -> dict | None:
    if settings is None:
        return None
    return {key: _without(value, left_out) if isinstance(value, Mapping) else value for key, value in settings.items()
            if key not in left_out}
