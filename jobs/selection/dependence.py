"""Rows of one cluster are not independent: how much less they say of each column than as many independent rows.

A net that never saw a user errs on all rows of this user in the same direction. With standardised residuals that have
a correlation rho within clusters and none between them (the exchangeable working correlation of Liang and Zeger 1986),
the variance of the score of a coordinate x is larger than that of independent rows by the design effect (Kish 1965)

    1 + rho (sum_g (sum_{i in g} sqrt(h_i) x_i)^2 / sum_i h_i x_i^2 - 1)        x less its mean, weighted by h

rho is one number, estimated from all pairs of rows of all clusters, so a column that few clusters have is judged by
what all of them show. Copies of a row have rho = 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.data.clusters import Clusters
from jobs.data.dataset import Design
from jobs.data.kernels import column_places
from jobs.selection.held_out import HeldOut, logit_bounds, pooled
from jobs.selection.score_kernels import cluster_sums, code_sums

Floats = NDArray[np.float64]


def inflation(design: Design, y: NDArray[np.float32], folds: Sequence[HeldOut], clusters: Clusters) -> Floats:
    """(n_codes, 2) by how much the standard deviation of the score of value and presence of each code is larger.

    Args:
        design: the input.
        y: (n_rows,) labels.
        folds: what the nets say of the rows that they never saw.
        clusters: (n_rows,) the number of the cluster of each row.
    """
    rows, f, family = pooled(folds, y)
    f = np.clip(f, *logit_bounds(y[rows], family))
    own = np.unique(clusters[rows], return_inverse=True)[1]
    if own.max() + 1 == len(rows):
        return np.ones((design.n_codes, 2))
    order = np.argsort(own, kind="stable")
    rows, f, own, Z = rows[order], f[order], own[order], design.Z
    r, h = family.residuals(f, y[rows]), family.weights(f)
    root = np.sqrt(h)
    total = np.bincount(own, root)
    rho = _correlation(r, root, own)
    starts, entry, row = column_places(Z.indptr, Z.indices, rows, design.n_codes)
    sums, by_code = np.zeros((design.n_codes, 2, 2)), np.zeros((design.n_codes, 5))
    cluster_sums(starts, row, Z.data[entry], own, root, total, sums)
    code_sums(Z.indptr, Z.indices, Z.data, rows, r, h, by_code)
    mean, square = by_code[:, [1, 4]] / h.sum(), by_code[:, [2, 4]]
    together = sums[..., 0] - 2 * mean * sums[..., 1] + mean**2 * (total @ total)
    alone = square - mean**2 * h.sum()
    ratio = np.divide(together, alone, out=np.ones_like(alone), where=alone > 1e-12 * h.sum())
    return np.sqrt(np.maximum(1 + rho * (ratio - 1), 1))


def _correlation(r: Floats, root: Floats, own: Clusters) -> float:
    """Of the standardised residuals of two rows of one cluster, by all such pairs, each with its weight; 0 to 1."""
    found = (np.bincount(own, r) ** 2).sum() - r @ r
    possible = (np.bincount(own, root) ** 2).sum() - root @ root
    return float(np.clip(found / possible, 0, 1))
