from .baseline_hook import BaselineHook
from .checkpoint_guard_hook import CheckpointGuardHook
from .crf_hook import CRFHook
from .keep_frames_hook import KeepFramesHook
from .online_finetune_hook import OnlineFinetuneHook
from .overlay_hook import OverlayHook
from .own_reference_hook import OwnReferenceHook
from .progress_hook import ProgressHook
from .result_hook import ResultHook
from .training_picture_hook import TrainingPictureHook
from .tta_hook import TTAHook

__all__ = [
    'BaselineHook', 'CRFHook', 'CheckpointGuardHook', 'KeepFramesHook', 'OnlineFinetuneHook', 'OverlayHook',
    'OwnReferenceHook', 'ProgressHook', 'ResultHook', 'TTAHook', 'TrainingPictureHook',
]
