from .baselines import CopyMask, FlowPropagation, UntrainedGenerator
from .crf import CRFRefiner, DenseCRF
from .object_crf import ObjectCRF
from .object_propagator import ObjectPropagator
from .online_finetuner import FinetuneReport, OnlineFinetuner
from .propagator import MaskPropagation, Propagator
from .segment import segment_sequence
from .tta import TestTimeAugmentation

__all__ = [
    'CRFRefiner', 'CopyMask', 'DenseCRF', 'FinetuneReport', 'FlowPropagation', 'MaskPropagation', 'ObjectCRF',
    'ObjectPropagator', 'OnlineFinetuner', 'Propagator', 'TestTimeAugmentation', 'UntrainedGenerator',
    'segment_sequence',
]
