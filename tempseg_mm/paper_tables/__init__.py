from .report import write_report
from .rows import Preset, Row
from .run import TableRun
from .tables import PRESETS, TABLES

__all__ = ['PRESETS', 'TABLES', 'Preset', 'Row', 'TableRun', 'write_report']
