from .clip_batch import ClipBatch, ClipPrediction
from .frame_prediction import FramePrediction
from .frame_record import FrameRecord
from .vos_data_sample import VOSDataSample

__all__ = ['ClipBatch', 'ClipPrediction', 'FramePrediction', 'FrameRecord', 'VOSDataSample']
