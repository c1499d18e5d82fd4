from .object_stream import ObjectStream
from .result import SegmentationResult
from .vos_inferencer import VOSInferencer

__all__ = ['ObjectStream', 'SegmentationResult', 'VOSInferencer']
