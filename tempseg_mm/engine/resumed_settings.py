"""Decides what happens to settings that differ from those of the checkpoint, when a training is resumed.

The state of optimisers, schedules and random streams comes from the checkpoint, together with their settings.
Everything else is built from the present config.
"""

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tempseg_mm.runtime.differences import Difference, ResumeError, differences

OF_THE_RUN = ('resume', 'load_from', 'launcher', 'work_dir', 'experiment_name')
OF_TESTS = ('test_dataloader', 'test_cfg', 'test_evaluator', 'crf', 'checkpoint')
HOOKS_OF_TESTS = ('finetune', 'tta', 'crf', 'baselines', 'results', 'overlays', 'report')
WEIGHTS_OF_THE_START = ('init_cfg', 'pretrained')
NAMED_NUMBERS = dict(inf=math.inf, nan=math.nan)


@dataclass
class ChangedSettings:
    """Settings that differ, sorted by what happens to them.

    Attributes:
        taken: settings that take effect from here on.
        kept: settings without effect; the values of the checkpoint stay.
        refused: settings that the state of the checkpoint does not fit.
        of_tests: settings that do not concern a training.
    """
    taken: list[Difference] = field(default_factory=list)
    kept: list[Difference] = field(default_factory=list)
    refused: list[Difference] = field(default_factory=list)
    of_tests: list[Difference] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.taken or self.kept or self.refused or self.of_tests)

    def __str__(self) -> str:
        kinds = {
            'take effect from here on': self.taken,
            'have no effect, because the state of the checkpoint is kept (for other values start again from its '
            'weights: --cfg-options load_from=FILE instead of --resume)': self.kept,
            'do not concern training': self.of_tests}
        lines = (f'\n  {what}:' + ''.join(f'\n    {one}' for one in found) for what, found in kinds.items() if found)
        return 'settings that differ from those of the checkpoint' + ''.join(lines)


def changed_settings(then: Mapping, now: Mapping) -> ChangedSettings:
    """Compare the config of a checkpoint with the present one.

    Args:
        then: config of the checkpoint: plain dicts, lists and values.
        now: present config, in the same form.
    """
    found = ChangedSettings()
    for one in differences(_own(then), _own(now)):
        getattr(found, _kind(one, validates=bool(now.get('val_cfg')))).append(one)
    return found


def require_resumable_with(changed: ChangedSettings) -> None:
    """Refuse settings that the state of the checkpoint does not fit.

    Raises:
        ResumeError: naming these settings.
    """
    if changed.refused:
        raise ResumeError(
            f'training cannot resume from this checkpoint with {_listed(changed.refused)}: its state of optimisers and '
            'schedules is of another kind. Resume with the old settings, or start again from its weights with '
            '--cfg-options load_from=<file> instead of --resume')


def read_config_text(text: str) -> dict | None:
    """Parse mmengine's text of a config, which every checkpoint holds. Nothing in it is executed.

    Returns:
        ``None`` if the text is not a config.
    """
    try:
        statements = ast.parse(text).body
        return {one.targets[0].id: _value(one.value) for one in statements} or None
    except (AttributeError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return None


def _own(cfg: Mapping) -> dict:
    return {key: value for key, value in cfg.items() if key not in OF_THE_RUN}


def _kind(one: Difference, *, validates: bool) -> str:
    keys = one.path.split('.')
    top, last = keys[0], keys[-1]
    if top in OF_TESTS or top == 'default_hooks' and keys[1:2] and keys[1] in HOOKS_OF_TESTS and not validates:
        return 'of_tests'
    if keys == ['train_cfg', 'max_minutes'] and None in (one.then, one.now):
        return 'refused'
    if top == 'param_scheduler':
        if not one.now and _is_component(one.then):
            return 'taken'  # without a schedule the learning rate does not change
        return 'refused' if last == 'type' or _is_component(one.then) or _is_component(one.now) else 'kept'
    if top == 'optim_wrapper':
        came_or_went = any(isinstance(value, Mapping) and 'optimizer' in value for value in (one.then, one.now))
        if came_or_went or 'paramwise_cfg' in keys or last in ('constructor', 'optimizer'):
            return 'refused'
        if 'optimizer' in keys:
            return 'refused' if last == 'type' else 'kept'
    if keys == ['randomness', 'seed'] or set(keys) & {*WEIGHTS_OF_THE_START}:
        return 'kept'
    return 'taken'


def _is_component(value: Any) -> bool:
    """Return True for the config of a schedule, or of several."""
    return isinstance(value, Mapping) or isinstance(value, list | tuple) and any(map(_is_component, value))


def _listed(found: Iterable[Difference]) -> str:
    return '; '.join(map(str, found))


def _value(node: ast.AST) -> Any:
    """Evaluate literals and ``dict(...)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        given = {key: value for argument in node.args for key, value in _value(argument).items()}
        return given | {word.arg: _value(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.List | ast.Tuple):
        values = [_value(item) for item in node.elts]
        return values if isinstance(node, ast.List) else tuple(values)
    if isinstance(node, ast.Name):
        return NAMED_NUMBERS.get(node.id) or _refuse(node)
    return ast.literal_eval(node)


def _refuse(node: ast.Name) -> None:
    raise ValueError(f'{node.id} is not a literal')
