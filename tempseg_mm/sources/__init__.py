from .arrays import ArraySource
from .camera import CameraSource
from .frame_source import FrameSource, SourceFrame
from .given_masks import GivenMask, read_given_masks
from .image_files import ImageFilesSource
from .mask_files import Labels, MaskReader
from .open_source import open_source
from .selection import parse_box, select_object
from .spool import FrameSpool
from .video_file import VideoFileSource

__all__ = [
    'ArraySource',
    'CameraSource',
    'FrameSource',
    'FrameSpool',
    'GivenMask',
    'ImageFilesSource',
    'Labels',
    'MaskReader',
    'SourceFrame',
    'VideoFileSource',
    'select_object',
    'open_source',
    'parse_box',
    'read_given_masks',
]
