"""One optimiser per sub-module of the model, under the name of the sub-module."""

from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from tempseg_mm.inference.learner import at_once
from tempseg_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GANOptimWrapperConstructor:
    """Builds ``optim_wrapper = dict(constructor='GANOptimWrapperConstructor', generator={...}, adversary={...})``.

    On CUDA, optimisers of torch are fused unless their config sets ``fused`` or ``foreach``, see
    :func:`~tempseg_mm.inference.learner.at_once`.

    Args:
        optim_wrapper_cfg: sub-module name -> config of its optimiser wrapper. A config for a sub-module that is
            ``None``, such as an absent adversary, is ignored.
        paramwise_cfg: must be ``None``; the config of each sub-module may have its own.

    Raises:
        ValueError: if a name is not a trained sub-module of the model, or a trained sub-module has no optimiser.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        if paramwise_cfg is not None:
            raise ValueError('paramwise_cfg must be inside the config of the sub-module that it is for')
        self.wrappers = dict(optim_wrapper_cfg)

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build one wrapper per sub-module."""
        model = model.module if is_model_wrapper(model) else model
        wrappers = {name: cfg for name, cfg in self.wrappers.items() if getattr(model, name, cfg) is not None}
        trained = {name for name, child in model.named_children() if any(p.requires_grad for p in child.parameters())}
        if trained != set(wrappers):
            raise ValueError(f'optim_wrapper names {sorted(wrappers)}, but the trained sub-modules of the model are '
                             f'{sorted(trained)}; both must be the same')
        return OptimWrapperDict(**{name: _built(getattr(model, name), cfg) for name, cfg in wrappers.items()})


def _built(part: nn.Module, cfg: dict) -> OptimWrapper:
    cfg = dict(cfg)
    if 'optimizer' in cfg and next(part.parameters()).device.type == 'cuda':
        cfg['optimizer'] = at_once(cfg['optimizer'], recorded=False)
    return build_optim_wrapper(part, cfg)
