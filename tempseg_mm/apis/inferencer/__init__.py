from .object_stream import ObjectStream
from .output import SegmentationResult
from .vos_inferencer import VOSInferencer

__all__ = ['ObjectStream', 'SegmentationResult', 'VOSInferencer']
