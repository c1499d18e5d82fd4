"""Which hooks of a config results depend on: those of the method, not those that log, draw or save.

Read by the records of a test, by its report and by the paper's tables.
"""

from collections.abc import Mapping

# Entries of default_hooks that change no weight and no mask: mmengine's own and those of default_runtime.py.
HOUSEKEEPING = (
    'runtime_info', 'timer', 'logger', 'param_scheduler', 'checkpoint', 'sampler_seed', 'check_data', 'pictures',
    'progress', 'results', 'heartbeat', 'overlays', 'report')


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
