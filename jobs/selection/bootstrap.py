"""95 % intervals of metrics from a Poisson bootstrap over rows (Hanley and MacGibbon 2006).

Every metric is a function of row weights, so a replicate costs one pass over rows that are sorted, or sorted out, once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_REPLICATES = 200
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % interval."""

    value: float
    low: float
    high: float


def estimates(metrics: Callable[[Floats], Mapping[str, float]], n_rows: int, seed: int) -> dict[str, Estimate]:
    """Return every metric with its interval.

    Args:
        metrics: of row weights, (n_rows,); nan where a replicate has no such metric.
        n_rows: how many rows there are.
        seed: of the replicates.
    """
    values, random = metrics(np.ones(n_rows)), np.random.default_rng(seed)
    weights = (random.poisson(1.0, n_rows).astype(np.float64) for _ in range(_REPLICATES))
    draws = [metrics(weight) for weight in weights if weight.any()]
    found: dict[str, Estimate] = {}
    for name, value in values.items():
        low, high = np.nanpercentile([draw[name] for draw in draws], _INTERVAL)
        found[name] = Estimate(float(value), float(low), float(high))
    return found
