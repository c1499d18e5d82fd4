"""How the generator is computed: precision, memory layout and graphs, for training, fine-tuning and prediction."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields

import torch
from torch import nn

LAYOUTS = 'auto', 'never', 'always'


@dataclass(frozen=True)
class Compute:
    """Switches of ``model.compute``. They change time, memory and rounding, but not what is computed.

    Attributes:
        amp: compute the generator of training and fine-tuning steps in bfloat16 where torch's autocast does. Weights,
            losses and adversary stay in float32, and so does prediction, where the conversions take longer than they
            save.
        channels_last: when the kernels of the generator have this memory layout: ``'never'``, ``'always'``, or
            ``'auto'``: for prediction on a CPU, which is then faster. Training of a small network there is slower, and
            a GPU gains nothing.
        graph: on CUDA, record a step of fine-tuning once and repeat it, see
            :class:`~tempseg_mm.inference.recorded_step.RecordedStep`. The losses must be functions of the clips alone:
            a loss that counts its calls would keep the number of the recorded step.

    Raises:
        ValueError: if ``channels_last`` is another word.
    """
    amp: bool = False
    channels_last: str = 'auto'
    graph: bool = True

    def __post_init__(self) -> None:
        if self.channels_last not in LAYOUTS:
            raise ValueError(f'compute.channels_last must be one of {", ".join(LAYOUTS)}, got {self.channels_last!r}')

    @classmethod
    def of(cls, settings: dict | None) -> 'Compute':
        """Make it from ``model.compute`` of a config; ``None``: the defaults.

        Raises:
            ValueError: if there is no such setting, or a value is wrong.
        """
        known = [field.name for field in fields(cls)]
        unknown = [name for name in settings or {} if name not in known]
        if unknown:
            raise ValueError(f'model.compute has no {", ".join(unknown)}; its settings are {", ".join(known)}')
        return cls(**(settings or {}))

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """Return the context for the generator in a training or fine-tuning step."""
        return torch.autocast(device.type, torch.bfloat16) if self.amp else nullcontext()

    def laid_out(self, generator: nn.Module, *, prediction: bool = False) -> nn.Module:
        """Return the generator, with its kernels in the memory layout for training or for prediction on its device."""
        suits = prediction and next(generator.parameters()).device.type == 'cpu'
        if self.channels_last == 'always' or self.channels_last == 'auto' and suits:
            generator.to(memory_format=torch.channels_last)
        return generator
