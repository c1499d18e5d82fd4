from .clip_batch import ClipBatch, ClipPrediction
from .frame_record import FrameRecord
from .segmented_frame import SegmentedFrame
from .vos_data_sample import VOSDataSample

__all__ = ['ClipBatch', 'ClipPrediction', 'FrameRecord', 'SegmentedFrame', 'VOSDataSample']
