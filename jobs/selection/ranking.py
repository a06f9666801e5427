"""From evidence to a verdict: rank by held-out gain, select by held-out score at a false discovery rate.

The score's z of a column of noise is close to normal, centred a little below zero, and wider than 1, because folds
share training rows (sd 1.1 to 1.2 measured, docs/method.md). Its width is therefore estimated from the lower half of
all z, where hardly a true column falls (an empirical null: Efron 2004), and never taken below MIN_NULL_WIDTH. Its
centre is taken as 0, which errs on the safe side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, norm

from jobs.selection.gain import Evidence

Floats = NDArray[np.float64]

MIN_NULL_WIDTH = 1.1
_ENOUGH_COLUMNS = 20  # columns needed in the lower half before their spread is believed


@dataclass(frozen=True, slots=True)
class Selection:
    """The verdict on every kept column.

    Attributes:
        rank: (n_columns,) 1 = largest gain; ties by position.
        gain: (n_columns,) nats per held-out row.
        score_z: (n_columns,) in units of the null width.
        q_value: (n_columns,) Benjamini-Hochberg.
        selected: (n_columns,) q_value <= q.
        stability: (n_columns,) share of folds in which the contribution pointed the right way.
        null_width: the estimated standard deviation of z under the null.
    """

    rank: NDArray[np.int64]
    gain: Floats
    score_z: Floats
    q_value: Floats
    selected: NDArray[np.bool_]
    stability: Floats
    null_width: float


def select_columns(folds: list[Evidence], q: float) -> Selection:
    """Judge every column by the evidence of all folds together, at false discovery rate `q`."""
    total = sum(folds[1:], start=folds[0])
    width = null_width(total.score_z)
    z = total.score_z / width
    q_value = false_discovery_control(norm.sf(z), method="bh")
    order = np.lexsort((np.arange(len(z)), -total.gain))
    rank = np.empty(len(z), np.int64)
    rank[order] = np.arange(1, len(z) + 1)
    right_way = np.mean([fold.score > 0 for fold in folds], axis=0)
    return Selection(rank, total.gain / total.n_rows, z, q_value, q_value <= q, right_way, width)


def null_width(z: Floats) -> float:
    """Spread of the lower half of z around its centre (the median, at most 0); at least MIN_NULL_WIDTH."""
    centre = min(float(np.median(z)), 0.0)
    lower = z[z < centre]
    if len(lower) < _ENOUGH_COLUMNS:
        return MIN_NULL_WIDTH
    return max(MIN_NULL_WIDTH, float(np.sqrt(np.mean((lower - centre) ** 2))))
