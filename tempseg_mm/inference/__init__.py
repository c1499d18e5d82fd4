from .baselines import CopyMask, FlowPropagation, UntrainedGenerator
from .following_window import ObjectWindow
from .given_object import GivenObject
from .online_adaptation import OnlineAdaptation
from .online_finetuner import AdaptedGenerator, OnlineFinetuner
from .propagator import Propagator, generator_propagator
from .refine import CRFRefiner, DenseCRF
from .segmenter import Segmenter
from .tta import TTA, TestTimeAugmentation

__all__ = [
    'AdaptedGenerator', 'CRFRefiner', 'CopyMask', 'DenseCRF', 'FlowPropagation', 'GivenObject', 'ObjectWindow',
    'OnlineAdaptation', 'OnlineFinetuner', 'Propagator', 'Segmenter', 'TTA', 'TestTimeAugmentation',
    'UntrainedGenerator', 'generator_propagator',
]
