"""Scores of segmented sequences: functions on arrays, the metric that accumulates them, and its table."""

from .accuracy import TopKAccuracy
from .functional import (
    boundary_map,
    contour_accuracy,
    region_similarity,
    sequence_statistics,
    temporal_instability,
)
from .score_table import ScoreTable, comparison_table
from .vos_metric import VOSMetric

__all__ = [
    'ScoreTable', 'TopKAccuracy', 'VOSMetric', 'boundary_map', 'comparison_table', 'contour_accuracy',
    'region_similarity', 'sequence_statistics', 'temporal_instability'
]
