from .report import write_report
from .rows import Preset, Row
from .run import TableRun
from .tables import PRESETS, TABLES, rows_of

__all__ = ['PRESETS', 'TABLES', 'Preset', 'Row', 'TableRun', 'rows_of', 'write_report']
