"""The measures of DAVIS 2016 as functions on arrays, without files and without state."""

from .boundary import boundary_map, contour_accuracy
from .region import region_similarity
from .statistics import SequenceStatistics, sequence_statistics
from .temporal import InstabilityChain, TemporalInstability, temporal_instability

__all__ = [
    'InstabilityChain', 'SequenceStatistics', 'TemporalInstability', 'boundary_map', 'contour_accuracy',
    'region_similarity', 'sequence_statistics', 'temporal_instability'
]
