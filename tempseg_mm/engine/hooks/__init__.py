from .baseline_hook import BaselineHook
from .checkpoint_guard_hook import CheckpointGuardHook
from .online_finetune_hook import OnlineFinetuneHook
from .overlay_hook import OverlayHook
from .own_reference_hook import OwnReferenceHook
from .progress_hook import ProgressHook
from .result_hook import ResultHook
from .training_picture_hook import TrainingPictureHook

__all__ = [
    'BaselineHook', 'CheckpointGuardHook', 'OnlineFinetuneHook', 'OverlayHook', 'OwnReferenceHook', 'ResultHook', 'ProgressHook',
    'TrainingPictureHook',
]
