from .report import write_report
from .rows import PRESETS, TABLES, Preset, Row
from .run import TableRun

__all__ = ['PRESETS', 'TABLES', 'Preset', 'Row', 'TableRun', 'write_report']
