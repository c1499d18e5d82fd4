from .baselines import CopyMask, FlowPropagation, UntrainedGenerator
from .online_finetuner import FinetuneReport, OnlineFinetuner
from .propagator import MaskPropagation, Propagator
from .segment import segment_sequence

__all__ = [
    'CopyMask', 'FinetuneReport', 'FlowPropagation', 'MaskPropagation', 'OnlineFinetuner', 'Propagator',
    'UntrainedGenerator', 'segment_sequence',
]
