"""Mean, recall and decay of a measure over one sequence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RECALL_THRESHOLD = 0.5


class SequenceStatistics(NamedTuple):
    """Statistics of a measure over one sequence.

    Attributes:
        mean: average over the frames.
        recall: share of frames above one half.
        decay: average of the first quarter minus average of the last; positive if the quality falls.
    """
    mean: float
    recall: float
    decay: float


def sequence_statistics(values: Sequence[float] | np.ndarray) -> SequenceStatistics:
    """Compute mean, recall and decay of DAVIS 2016 (Perazzi et al., CVPR 2016, section 4.2).

    The four bins of the decay share their edge frames: bin k holds v[e_k] to v[e_{k+1}], both included, where e_k =
    round(k (n - 1) / 4), halves up.

    Args:
        values: n values of a measure, in the order of the frames, for the frames that count. NaN is left out of the
            mean and the decay; in the recall it counts as not above one half.

    Returns:
        The statistics; the mean is NaN if all values are.

    Raises:
        ValueError: if there is no value, or more than one dimension.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f'expected the values of at least one frame in one dimension, got shape {values.shape}')
    last = len(values) - 1
    edges = [(k * last + 2) // 4 for k in range(5)]
    first_bin, last_bin = values[edges[0]:edges[1] + 1], values[edges[3]:edges[4] + 1]
    return SequenceStatistics(
        mean=_mean(values),
        recall=float(np.mean(values > RECALL_THRESHOLD)),
        decay=_mean(first_bin) - _mean(last_bin))


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float('nan')
