"""Pages for a browser. Each is a single file that needs no network, no server and no library."""

from .batch_report import VideoRow, write_batch_report
from .dataset_report import DatasetReport, SequenceRow, write_dataset_report
from .sequence_report import SequenceReport, write_sequence_report
from .thumbnails import ThumbnailKeeper

__all__ = [
    'DatasetReport', 'SequenceReport', 'SequenceRow', 'ThumbnailKeeper', 'VideoRow', 'write_batch_report',
    'write_dataset_report', 'write_sequence_report'
]
