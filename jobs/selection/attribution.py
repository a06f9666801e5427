# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""SHAP values in code space: expected gradients along straight lines between codes.

    phi_j(x) = mean over background rows r of (c_j(x) - c_j(r)) . integral_0^1 grad f(h_r + a (h_x - h_r)) da

Because h is a sum over columns, one formula explains every kind of column, and no point of the path is ever expanded to
n_features: the integral (Gauss-Legendre) costs passes of the body only, the rest is O(non-zeros x d_block). For numeric
columns this is expected gradients in input space (Erion et al. 2021), the estimand of shap.GradientExplainer; with one
background row it is integrated gradients (Sundararajan et al. 2017). The linear skip is one more coordinate of every
code, with gradient 1, so its part is exact.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Design
from jobs.data.split import Rows
from jobs.net.codes import Matrix, codes_of
from jobs.net.paths import path_gradients
from jobs.net.training import Net
from jobs.selection.kernels import background_part, entry_part, row_part

_BLOCK_BYTES = 32 << 20  # of one block of dense attributions
_SPARSE_ROWS = 1024  # of one block of sparse ones


@dataclass(frozen=True, slots=True)
class Attributions:
    """A block of explained rows.

    Attributes:
        rows: (n_block,) positions in the dataset.
        phi: (n_block, n_columns) float32 logits.
        gap: (n_block,) sum of phi minus (f(x) - mean f(background)): what the quadrature missed.
    """

    rows: Rows
    phi: Matrix
    gap: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SparseAttributions:
    """A block of rows explained against the row in which nothing happened.

    Attributes:
        rows: (n_block,) positions in the dataset.
        phi: (n_block, n_columns) CSR float32 logits, with an entry where the row has one: zeros get nothing.
        gap: (n_block,) sum of phi minus (f(x) - f(0)).
    """

    rows: Rows
    phi: csr_array
    gap: NDArray[np.float64]


def explain(
    net: Net, design: Design, rows: Rows, background: Rows, nodes: int, on_rows: Callable[[int], None]
) -> Iterator[Attributions]:
    """Yield the attributions of `rows`, a block of rows at a time, against the background rows.

    Args:
        net: the net to explain.
        design: its input.
        rows: positions of the rows to explain.
        background: positions of the reference rows.
        nodes: of the quadrature.
        on_rows: called with the number of rows of each finished block; may raise to abandon.

    Cost per row: nodes x background passes of the body + (non-zeros of the row and of the background) x d_block.
    """
    Z, base = design.Z, codes_of(design.Z, background, net.W)
    expected = float(net.logits(Z, background).mean())
    linear = net.linear.w * _mean_row(Z, background)  # (n_codes,) what an average row gets from the skip
    n_block = max(1, min(len(rows), _BLOCK_BYTES // (4 * max(1, design.n_codes)), 64))
    for first in range(0, len(rows), n_block):
        block = rows[first : first + n_block]
        slopes = path_gradients(net.body, codes_of(Z, block, net.W), base, nodes)  # (n_block, n_background, d)
        phi = np.tile(-linear, (len(block), 1)).astype(np.float32)  # (n_block, n_codes)
        row_part(Z.indptr, Z.indices, Z.data, block, net.W, net.linear.w, slopes.mean(axis=1), phi)
        background_part(Z.indptr, Z.indices, Z.data, background, net.W, slopes, phi)
        by_column = np.add.reduceat(phi, design.starts[:-1], axis=1)  # (n_block, n_columns)
        gap = by_column.sum(axis=1, dtype=np.float64) - (net.logits(Z, block) - expected)
        yield Attributions(block, by_column, gap)
        on_rows(len(block))


def explain_from_zero(
    net: Net, design: Design, rows: Rows, nodes: int, on_rows: Callable[[int], None]
) -> Iterator[SparseAttributions]:
    """Yield the attributions of `rows`, a block of rows at a time, against a row of zeros: the user who did nothing.

    Good for showing values to people, wrong for testing: a column of noise with a large mean inherits signal (gain.py).

    Args:
        net: the net to explain.
        design: its input.
        rows: positions of the rows to explain.
        nodes: of the quadrature.
        on_rows: called with the number of rows of each finished block; may raise to abandon.

    Cost per row: nodes passes of the body + non-zeros of the row x d_block.
    """
    Z, zero = design.Z, np.zeros((1, net.W.shape[1]), np.float32)
    with torch.inference_mode():
        nothing = net.linear.b + float(net.body(torch.from_numpy(zero))[0])
    owner = design.owner.astype(np.int32)
    for first in range(0, len(rows), _SPARSE_ROWS):
        block = rows[first : first + _SPARSE_ROWS]
        slope = path_gradients(net.body, codes_of(Z, block, net.W), zero, nodes)[:, 0]  # (n_block, d)
        starts = np.concatenate([[0], np.cumsum(Z.indptr[block + 1] - Z.indptr[block])])
        phi, column = np.empty(starts[-1], np.float32), np.empty(starts[-1], np.int32)
        entry_part(Z.indptr, Z.indices, Z.data, block, net.W, net.linear.w, slope, owner, starts, phi, column)
        by_column = csr_array((phi, column, starts), shape=(len(block), len(design.columns)))
        gap = by_column.sum(axis=1, dtype=np.float64) - (net.logits(Z, block) - nothing)
        yield SparseAttributions(block, by_column, gap)
        on_rows(len(block))


def _mean_row(Z: csr_array, rows: Rows) -> Matrix:
    """(n_codes,) float32 column means of Z over `rows`."""
    return (np.asarray(Z[rows].sum(axis=0), dtype=np.float64).ravel() / len(rows)).astype(np.float32)
