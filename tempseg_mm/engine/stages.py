"""The stages that this project adds to mmengine's, names that are nearly one, and the hooks that results depend on.

A hook takes part in a stage by having a method of that name, so a slip of the pen would be silent.
"""

import difflib
from collections.abc import Iterable, Mapping

from mmengine.hooks import Hook

# Everywhere: tempseg-test, a single video, the API, a stream. See Segmenter.with_hooks.
MASK_STAGES = ('set_up_segmenter', 'refine_masks')
# In tempseg-test, by VOSTestLoop.
TEST_STAGES = ('recall_sequence', 'after_recall', 'before_sequence', 'after_finetune_step', 'after_finetuning',
               'after_frame', 'after_sequence', 'keep_sequence')
# What a hook keeps of a sequence, for ResultHook.
STATE_METHODS = ('sequence_state', 'restore_sequence')
CUTOFF = 0.85  # likeness from which a name is taken for a slip


def check_stage_names(hooks: Iterable[Hook | type]) -> None:
    """Refuse hooks with a method whose name is nearly a stage.

    Args:
        hooks: or their classes.

    Raises:
        ValueError: naming the hook, the method and the stage.
    """
    known = {*Hook.stages, *MASK_STAGES, *TEST_STAGES, *STATE_METHODS,
             *(name for name in vars(Hook) if not name.startswith('_'))}
    for cls in (hook if isinstance(hook, type) else type(hook) for hook in hooks):
        for name in sorted(_methods(cls) - known):
            near = difflib.get_close_matches(name, known, n=1, cutoff=CUTOFF)
            if near:
                raise ValueError(f'{cls.__name__} has a method {name}, which nobody calls; did you mean the stage '
                                 f'{near[0]}? Rename it; if it is no stage, begin its name with an underscore')


def stages_in_order(hooks: Iterable[Hook]) -> str:
    """A line per stage of this project with the hooks that take part, in order; for the log, beside mmengine's own."""
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


# Entries of default_hooks that change no weight and no mask: mmengine's own and those of default_runtime.py.
HOUSEKEEPING = (
    'runtime_info', 'timer', 'logger', 'param_scheduler', 'checkpoint', 'sampler_seed', 'check_data', 'pictures',
    'progress', 'results', 'heartbeat', 'overlays', 'report', 'submission')


def method_hooks(cfg: Mapping) -> dict:
    """Hooks of the method: ``finetune``, ``tta``, ``crf`` and whatever else a config adds.

    Args:
        cfg: a whole config.

    Returns:
        Config of each hook: those of ``default_hooks`` under their names, then ``custom_hooks`` as ``custom_0``, ...
    """
    named = {name: hook for name, hook in (cfg.get('default_hooks') or {}).items()
             if hook is not None and name not in HOUSEKEEPING}
    return named | {f'custom_{i}': hook for i, hook in enumerate(cfg.get('custom_hooks') or [])}
