"""Lists the stages that this project adds to mmengine, and the hooks that results depend on; refuses misspelt stages.

A hook takes part in a stage by having a method of that name, so a misspelt name would silently have no effect.
"""

import difflib
from collections.abc import Iterable, Mapping

from mmengine.hooks import Hook

# Stages of every segmenter: in tempseg-test, a single video, the API, a stream. See Segmenter.with_hooks.
MASK_STAGES = ('set_up_segmenter', 'refine_masks')
# Stages of tempseg-test, which VOSTestLoop calls.
TEST_STAGES = ('recall_sequence', 'after_recall', 'before_sequence', 'after_finetune_step', 'after_finetuning',
               'after_frame', 'after_sequence', 'keep_sequence')
# Methods by which a hook stores and restores its results of a sequence, for ResultHook.
STATE_METHODS = ('sequence_state', 'restore_sequence')
CUTOFF = 0.85  # similarity from which a name counts as misspelt


def check_stage_names(hooks: Iterable[Hook | type]) -> None:
    """Refuse hooks with a method whose name is almost the name of a stage.

    Args:
        hooks: hooks or their classes.

    Raises:
        ValueError: naming the hook, the method and the stage.
    """
    known = {*Hook.stages, *MASK_STAGES, *TEST_STAGES, *STATE_METHODS,
             *(name for name in vars(Hook) if not name.startswith('_'))}
    for cls in (hook if isinstance(hook, type) else type(hook) for hook in hooks):
        for name in sorted(_methods(cls) - known):
            near = difflib.get_close_matches(name, known, n=1, cutoff=CUTOFF)
            if near:
                raise ValueError(f'{cls.__name__} has a method {name}, which nothing calls; did you mean the stage '
                                 f'{near[0]}? Rename the method, or start its name with an underscore if it is not '
                                 'meant as a stage')


def stages_in_order(hooks: Iterable[Hook]) -> str:
    """Return a line per stage of this project with its hooks in order, for the log; mmengine logs its own stages."""
    hooks = list(hooks)
    lines = []
    for stage in (*MASK_STAGES, *TEST_STAGES):
        taking_part = [type(hook).__name__ for hook in hooks if stage in _methods(type(hook))]
        if taking_part:
            lines.append(f'{stage}: {", ".join(taking_part)}')
    return '\n'.join(lines)


def _methods(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name, value in vars(base).items()
            if callable(value) and not name.startswith('_')}


# Entries of default_hooks that change neither weights nor masks: mmengine's own and those of default_runtime.py.
HOUSEKEEPING = (
    'runtime_info', 'timer', 'logger', 'param_scheduler', 'checkpoint', 'sampler_seed', 'check_data', 'pictures',
    'progress', 'results', 'heartbeat', 'overlays', 'report', 'submission')


def method_hooks(cfg: Mapping) -> dict:
    """Return the hooks that can change results: ``finetune``, ``tta``, ``crf`` and all others that a config adds.

    Args:
        cfg: a whole config.

    Returns:
        Config of each hook: those of ``default_hooks`` under their names, then ``custom_hooks`` as ``custom_0``, ...
    """
    named = {name: hook for name, hook in (cfg.get('default_hooks') or {}).items()
             if hook is not None and name not in HOUSEKEEPING}
    return named | {f'custom_{i}': hook for i, hook in enumerate(cfg.get('custom_hooks') or [])}
