"""What becomes of settings that are others than those a checkpoint was made with. Called where a training is resumed.

The state of optimisers, schedules and random streams comes from the checkpoint, and their settings with it; all else
is built from the present config.
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
    """Settings that differ, by what becomes of them.

    Attributes:
        taken: they take effect from here on.
        kept: they do not; the checkpoint's go on.
        refused: the checkpoint's state does not fit to them.
        of_tests: they are nothing to a training.
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
            'have no effect, the state of the checkpoint goes on (for other values start again from its weights: '
            '--cfg-options load_from=FILE instead of --resume)': self.kept,
            'are nothing to a training': self.of_tests}
        lines = (f'\n  {what}:' + ''.join(f'\n    {one}' for one in found) for what, found in kinds.items() if found)
        return 'settings that are not those of the checkpoint' + ''.join(lines)


def changed_settings(then: Mapping, now: Mapping) -> ChangedSettings:
    """Compare the config of a checkpoint with the present one.

    Args:
        then: plain dicts, lists and values.
        now: likewise.
    """
    found = ChangedSettings()
    for one in differences(_own(then), _own(now)):
        getattr(found, _kind(one, validates=bool(now.get('val_cfg')))).append(one)
    return found


def require_resumable_with(changed: ChangedSettings) -> None:
    """Refuse what the state of the checkpoint does not fit to.

    Raises:
        ResumeError: naming it.
    """
    if changed.refused:
        raise ResumeError(
            f'training cannot go on from this checkpoint with {_listed(changed.refused)}: its state of optimisers and '
            'schedules is of another kind. Resume with what it had, or start again from its weights with '
            '--cfg-options load_from=<file> instead of --resume')


def read_config_text(text: str) -> dict | None:
    """What mmengine's text of a config says, which lies in every checkpoint; nothing in it is run.

    Returns:
        ``None`` if it is no such text.
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
            return 'taken'  # without schedule the learning rate stays where it is
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
    """Whether it is a schedule, or some."""
    return isinstance(value, Mapping) or isinstance(value, list | tuple) and any(map(_is_component, value))


def _listed(found: Iterable[Difference]) -> str:
    return '; '.join(map(str, found))


def _value(node: ast.AST) -> Any:
    """Literals and ``dict(...)``."""
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
    raise ValueError(f'{node.id} is no literal')
