"""Tails of scores of columns that few rows have: not normal, but known, as labels have known probabilities."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri

from jobs.data.design import take_columns
from jobs.data.kernels import column_places
from jobs.net.tasks import sigmoid
from jobs.selection.coordinates import Coordinates, Sums
from jobs.selection.score_kernels import saddlepoint_tail

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_LEAST_P = 1e-300
_TAIL_Z, _TAIL_SHARE = 1.8, 0.1  # from which z, and up to which share of non-zeros, the tail is computed
_FEW_LABELS = 500  # of the rarer kind: with fewer the tails of common coordinates are computed too


def refine_tails(
    p: Floats,
    z: Floats,
    width: Floats,
    Z: csr_array,
    sums: Sums,
    coordinates: Coordinates,
    y: NDArray[np.float32],
) -> None:
    """Replace p and z where z is in the tail and few rows have the coordinate, or few the label: labels are drawn.

    z becomes what a normal variable has as its p. width: (n_coordinates,) standard deviation of each score.
    """
    in_tail = np.flatnonzero(np.abs(z) > _TAIL_Z)
    owner = coordinates.owner
    codes = np.flatnonzero(np.isin(owner, owner[coordinates.code[in_tail]]))  # of all columns that have one in the tail
    chosen = take_columns(Z, codes)
    starts, entry, row = column_places(chosen.indptr, chosen.indices, sums.rows, len(codes))
    value, labels = chosen.data[entry].astype(np.float64), y[sums.rows].astype(np.float64)
    effect = value * np.repeat(sums.effect[codes], np.diff(starts))
    is_rare = min(labels.sum(), len(labels) - labels.sum()) < _FEW_LABELS
    first, end = (np.searchsorted(owner[codes], owner[coordinates.code[in_tail]], side) for side in ("left", "right"))
    place: Index = np.searchsorted(codes, coordinates.code[in_tail])
    for at, k, one, other in zip(in_tail, place, starts[first], starts[end], strict=True):
        entries = slice(starts[k], starts[k + 1])
        i, own = row[entries], value[entries]
        present = np.ones(len(i))
        if len(i) > _TAIL_SHARE * len(labels):
            if not is_rare:
                continue
            own, present = (np.bincount(i, each, len(labels)) for each in (own, present))
            i = np.arange(len(labels))
        of_column = np.bincount(row[one:other], effect[one:other], len(labels))[i]
        x = (present if coordinates.is_presence[at] else own) - float(coordinates.mean[at])
        x = x - coordinates.loading[at] * sums.factor[i]
        without = sigmoid(np.clip(sums.f[i] - of_column, *sums.bounds))  # the probability if the column did nothing
        counted = x @ (sums.r[i] + sums.h[i] * of_column)
        scale = coordinates.deviation[at]
        q = coordinates.score[at] * scale + x @ (labels[i] - without) - counted
        variance = coordinates.own_share[at] * scale**2
        rest = max(variance - x @ (sums.h[i] * x), 0.0)
        far, side = abs(q) / width[at], 1.0 if q > 0 else -1.0
        own_tail, opposite = (float(saddlepoint_tail(x * sign, without, rest, far)) for sign in (side, -side))
        if own_tail > 0 and opposite >= 0:  # the other side may be out of reach: of few rows with rare labels all miss
            p[at] = min(1.0, max(own_tail + opposite, _LEAST_P))
            z[at] = -side * ndtri(p[at] / 2)
