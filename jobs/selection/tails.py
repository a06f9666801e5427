"""Tails of scores of columns that few rows have: not normal, but known, as labels have known probabilities."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri
from scipy.stats import pearson3

from jobs.data.design import take_columns
from jobs.data.kernels import column_counts, column_places
from jobs.net.tasks import sigmoid
from jobs.selection.coordinates import Coordinates, Sums
from jobs.selection.neighbours import windows
from jobs.selection.score_kernels import drawn_sums, saddlepoint_tail

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_LEAST_P = 1e-300
_TAIL_Z, _TAIL_SHARE = 1.8, 0.1  # from which z, and up to which share of non-zeros, the tail is computed
_DRAWN_Z = 2.5  # from which z a tail is drawn
_DRAWN, _FEWEST_DRAWS, _MOST_DRAWS = 4_000_000, 2000, 50_000  # numbers in all for one tail; sums
_SEEN = 10  # sums so far out, or their share is not believed
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
    effect = value * sums.effect_by_fold[sums.fold[row], np.repeat(codes, np.diff(starts))]
    is_rare = min(labels.sum(), len(labels) - labels.sum()) < _FEW_LABELS
    first, end = (np.searchsorted(owner[codes], owner[coordinates.code[in_tail]], side) for side in ("left", "right"))
    place: Index = np.searchsorted(codes, coordinates.code[in_tail])
    for at, k, one, other in zip(in_tail.tolist(), place, starts[first], starts[end], strict=True):
        entries = slice(starts[k], starts[k + 1])
        i, own = row[entries], value[entries]
        if len(i) > _TAIL_SHARE * len(labels):
            if not is_rare:
                continue
            i, own = np.arange(len(labels)), np.asarray(np.bincount(i, own, len(labels)), np.float64)
        of_column = np.bincount(row[one:other], effect[one:other], len(labels))[i]
        x = coordinates.on_rows(at, own, sums.common[i])
        without = sigmoid(np.clip(sums.f[i] - of_column, *sums.bounds))  # the probability if the column did nothing
        counted = x @ (sums.r[i] + sums.h[i] * of_column)
        scale = coordinates.deviation[at]
        q = coordinates.score[at] * scale + x @ (labels[i] - without) - counted
        rest = coordinates.variance_elsewhere(at, x, sums.h[i])
        far, side = abs(q) / width[at], 1.0 if q > 0 else -1.0
        tail = float(saddlepoint_tail(x * side, without, rest, far))
        if tail >= 0:
            end, other_end = (float(np.prod(np.where(x * s > 0, without, 1 - without))) for s in (side, -side))
            tail = max(tail, end / 2)  # where all rows that have it point one way there is no further out
            p[at] = np.clip(2 * tail if tail >= other_end else tail, _LEAST_P, 1.0)
            z[at] = side * -ndtri(p[at] / 2)


def resample_tails(p: Floats, z: Floats, Z: csr_array, sums: Sums, coordinates: Coordinates) -> None:
    """The same for numbers: where few rows have the coordinate, what is left of each is drawn from its neighbours.

    Where labels are mostly zero a few rows have nearly all that there is, and a sum over a few rows is anything but
    normal. Beyond what the draws reach the tail is that of a gamma variable with their skewness.
    """
    few = column_counts(Z.indices, Z.shape[1])[coordinates.code] <= _TAIL_SHARE * Z.shape[0]
    in_tail = np.flatnonzero((np.abs(z) > _DRAWN_Z) & few)
    if not len(in_tail):
        return
    order, first, size = windows(sums.f)
    left, begins = sums.r[order], np.empty(len(order), np.int64)
    begins[order] = first
    codes = np.unique(coordinates.code[in_tail])
    chosen = take_columns(Z, codes)
    starts, entry, row = column_places(chosen.indptr, chosen.indices, sums.rows, len(codes))
    for at, k in zip(in_tail.tolist(), np.searchsorted(codes, coordinates.code[in_tail]), strict=True):
        i = row[starts[k] : starts[k + 1]]
        own = chosen.data[entry[starts[k] : starts[k + 1]]].astype(np.float64)
        x = coordinates.on_rows(at, own, sums.common[i])
        rest = np.sqrt(coordinates.variance_elsewhere(at, x, sums.h[i]))
        draws = int(np.clip(_DRAWN // max(1, len(i)), _FEWEST_DRAWS, _MOST_DRAWS))
        drawn: Floats = drawn_sums(x, begins[i], size, left, rest, draws, np.random.default_rng(at))
        far, side = abs(z[at]), 1.0 if z[at] > 0 else -1.0
        drawn = (drawn - drawn.mean()) / drawn.std()
        beyond, skewness = int((np.abs(drawn) >= far).sum()), float((drawn**3).mean())
        tails: Floats = np.asarray(pearson3.sf(far, np.array([skewness, -skewness])), np.float64)
        share = beyond / draws if beyond >= _SEEN else min(float(tails.sum()), _SEEN / draws)
        p[at] = max(share, 2 * float(np.asarray(ndtr(-far), np.float64)), _LEAST_P)
        z[at] = -side * ndtri(p[at] / 2)
