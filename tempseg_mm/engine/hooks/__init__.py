from .atomic_checkpoint_hook import AtomicCheckpointHook
from .baseline_hook import BaselineHook
from .check_data_hook import CheckDataHook
from .crf_hook import CRFHook
from .heartbeat_hook import HeartbeatHook
from .online_adaptation_hook import OnlineAdaptationHook
from .online_finetune_hook import OnlineFinetuneHook
from .overlay_hook import OverlayHook
from .own_reference_hook import OwnReferenceHook
from .progress_hook import ProgressHook
from .report_hook import ReportHook
from .result_hook import ResultHook
from .stop_hook import StopHook
from .submission_hook import SubmissionHook
from .training_picture_hook import TrainingPictureHook
from .tta_hook import TTAHook

__all__ = [
    'AtomicCheckpointHook', 'BaselineHook', 'CRFHook', 'CheckDataHook', 'HeartbeatHook',
    'OnlineAdaptationHook', 'OnlineFinetuneHook', 'OverlayHook', 'OwnReferenceHook', 'ProgressHook', 'ReportHook',
    'ResultHook', 'StopHook', 'SubmissionHook', 'TTAHook', 'TrainingPictureHook',
]
