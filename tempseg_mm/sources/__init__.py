from .frame_source import FrameSource, SourceFrame

__all__ = ['FrameSource', 'SourceFrame']
