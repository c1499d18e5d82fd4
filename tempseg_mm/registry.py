"""Registries of every kind of replaceable component, and the package that holds each kind.

Each registry is a child of mmengine's (scope ``tempseg_mm``). A config with ``default_scope = 'tempseg_mm'`` therefore
finds the components of this project first. A package is imported when its registry is first searched.
"""

import difflib
import inspect

from mmengine import registry as root
from mmengine.registry import Registry

SCOPE = 'tempseg_mm'
# Names that earlier versions registered and configs of older runs still hold -> the component that replaced them.
REMOVED = dict.fromkeys(('BoundedLogHook', 'CheckpointGuardHook', 'TrainingStateHook'), 'AtomicCheckpointHook')


class SuggestingRegistry(Registry):
    """Registry that answers an unknown name with the nearest known names.

    Raises:
        KeyError: from :meth:`get` and :meth:`build`, if neither this registry nor its parents know the name.
        TypeError: from :meth:`build`, for arguments that the component does not take.
    """

    def build(self, cfg, *args, **kwargs):
        try:
            return super().build(cfg, *args, **kwargs)
        except TypeError as error:
            fault = self._unexpected({**cfg, **(kwargs.get('default_args') or {})}) if isinstance(cfg, dict) else ''
            if not fault:
                raise
            raise TypeError(fault) from error

    def get(self, key):
        found = super().get(key)
        if found is None:
            raise KeyError(self._unknown(key))
        return found

    def __contains__(self, key):
        return super().get(key) is not None

    def known_names(self) -> list:
        """Return the names in this registry and its parents, sorted."""
        self.import_from_location()
        names, registry = set(), self
        while registry is not None:
            names.update(registry.module_dict)
            registry = registry.parent
        return sorted(names)

    def _unexpected(self, cfg: dict) -> str:
        """Describe the arguments that a component does not take; return an empty string if it takes them all.

        Such a component was never entered, so this message hides no error raised inside it.
        """
        kind = cfg.get('type')
        component = self.get(kind) if isinstance(kind, str) else kind
        try:
            parameters = inspect.signature(component).parameters
        except (TypeError, ValueError):  # not a component, or one that is not written in Python
            return ''
        unexpected = [name for name in cfg if name not in (*parameters, 'type', '_scope_')]
        if not unexpected or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return ''
        near = difflib.get_close_matches(unexpected[0], parameters, n=max(1, len(parameters)), cutoff=0)
        return (f'{kind if isinstance(kind, str) else kind.__name__} takes no {", ".join(map(repr, unexpected))}; it '
                f'takes {", ".join(near) or "no arguments"}. If this part replaces another one in a child config, add '
                '`_delete_=True`; otherwise it inherits the arguments of the part that it replaces.')

    def _unknown(self, key: str) -> str:
        if key in REMOVED:
            return (f'{key!r} is no longer a separate {self.name}: {REMOVED[key]} does its work. Remove it from the '
                    'config.')
        known = self.known_names()
        lowered = {name.lower(): name for name in known}
        near = [lowered[n] for n in difflib.get_close_matches(key.split('.')[-1].lower(), lowered, n=3, cutoff=0.5)]
        hint = f'did you mean {" or ".join(near)}?' if near else f'known: {", ".join(known)}.'
        return (f'{key!r} is not a registered {self.name}; {hint} If the component is defined outside the package, '
                'name its module in `custom_imports`.')


def _child(parent: Registry, *packages: str) -> Registry:
    return SuggestingRegistry(
        parent.name, parent=parent, scope=SCOPE, locations=[f'{SCOPE}.{package}' for package in packages])


DATASETS = _child(root.DATASETS, 'datasets')
TRANSFORMS = _child(root.TRANSFORMS, 'datasets')
MODELS = _child(root.MODELS, 'models')  # generators, backbones, decoders, mask encoders, discriminators, losses
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, 'models')
METRICS = _child(root.METRICS, 'evaluation')
VISUALIZERS = _child(root.VISUALIZERS, 'visualization')
VISBACKENDS = _child(root.VISBACKENDS)
LOOPS = _child(root.LOOPS, 'engine')
HOOKS = _child(root.HOOKS, 'engine')
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
OPTIMIZERS = _child(root.OPTIMIZERS)
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS)
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, 'datasets')
# Optical-flow providers, object windows, fine-tuners, baselines.
TASK_UTILS = _child(root.TASK_UTILS, 'flow', 'inference')
