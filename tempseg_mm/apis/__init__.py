from .config import join_processes, load_config, newest_checkpoint, use_device
from .crf_tuning import tune_crf, verdict
from .inferencer import ObjectStream, SegmentationResult, VOSInferencer
from .testing import choose_checkpoint, run_test, skip_finished, switch_on
from .training import run_training

__all__ = [
    'ObjectStream', 'SegmentationResult', 'VOSInferencer',
    'choose_checkpoint', 'join_processes', 'load_config', 'newest_checkpoint', 'run_test', 'run_training',
    'skip_finished', 'switch_on', 'tune_crf', 'use_device', 'verdict',
]
