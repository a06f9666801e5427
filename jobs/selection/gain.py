"""Held-out gain and held-out score of every column, in O(non-zeros) (docs/method.md; DESIGN.md 5).

On rows i that the net never saw, with calibrated logits f, attributions phi against the *mean* row, and
delta_ij = phi_ij - mean_i phi_ij:

    gain_j  = sum_i loss(y_i, f_i - delta_ij) - loss(y_i, f_i)      does this contribution pay for itself? (nats)
    score_j = sum_i delta_ij (y_i - sigma(f_i - delta_ij))          does it point the right way, given everything else?

The gain orders the columns; the score, whose mean is zero for a column of noise, decides. The background must be the
mean: against a zero background a column of noise with a large mean inherits the signal of the others through the
gradient.

Centring makes every zero entry of a sparse column contribute, delta = -mean_j t_ij - centre_j with t_ij = c_j . g_i,
but only through g_i. To second order in delta these sums are quadratic forms in c_j,

    sum_i r_i delta    = -mean_j c_j . (sum r g) - centre_j sum r                               r = y - sigma(f)
    sum_i h_i delta^2  = mean_j^2 c_j' (sum h g g') c_j + 2 mean_j centre_j c_j . (sum h g) + centre_j^2 sum h
    gain = r delta + h delta^2 / 2,   score = r delta + h delta^2,   squares = r^2 delta^2      h = sigma (1 - sigma)

so no n x p array is ever made. Columns whose non-zeros are not few are summed exactly, row by row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.kernels import column_places
from jobs.data.split import Rows
from jobs.net.codes import Matrix, codes_of
from jobs.net.tasks import binary_loss, sigmoid
from jobs.net.training import Net
from jobs.selection.attribution import path_gradients
from jobs.selection.calibration import Calibration
from jobs.selection.kernels import sparse_evidence

_EXACT_COVERAGE = 0.1  # columns with more non-zeros than this share of the rows are summed exactly
_PATH_ROWS = 4096

Floats = NDArray[np.float64]
_Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]  # starts, entry, row: see column_places


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sums over held-out rows, one entry a column.

    Attributes:
        n_rows: how many rows were summed.
        gain, gain_squares: (n_columns,) sums of gain_ij and of its square, nats.
        score, score_squares: (n_columns,) sums of score_ij and of its square.
    """

    n_rows: int
    gain: Floats
    gain_squares: Floats
    score: Floats
    score_squares: Floats

    def __add__(self, other: "Evidence") -> "Evidence":
        """Evidence of both sets of rows together."""
        return Evidence(
            self.n_rows + other.n_rows,
            self.gain + other.gain,
            self.gain_squares + other.gain_squares,
            self.score + other.score,
            self.score_squares + other.score_squares,
        )

    @property
    def score_z(self) -> Floats:
        """(n_columns,) score in units of its standard error; 0 where a column never contributes."""
        spread = np.sqrt(np.maximum(self.score_squares - self.score**2 / self.n_rows, 0))
        return np.divide(self.score, spread, out=np.zeros_like(spread), where=spread > 1e-12)


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """What the sums run over: logits f, labels y, extended codes and gradients, means.

    Attributes:
        rows: (n,) positions.
        slope: (n, d_block + 1) float64, calibrated; the last coordinate is the linear skip's.
        code: (n_codes, d_block + 1) float64.
        mean: (n_codes,) of the reference rows.
        f, y: (n,).
    """

    rows: Rows
    slope: Floats
    code: Floats
    mean: Floats
    f: Floats
    y: Floats


def held_out_evidence(
    net: Net, calibration: Calibration, design: Design, y: NDArray[np.float32], rows: Rows, seen: Rows, nodes: int
) -> Evidence:
    """Sum gain and score of every column over rows that the net never saw.

    Args:
        net: trained on `seen`.
        calibration: of the net's logits on `rows`; attributions are scaled by its slope.
        design: the input.
        y: (n_rows,) labels.
        rows: held-out positions.
        seen: positions whose mean row is the background.
        nodes: of the quadrature along the path from the mean row.
    """
    held = _hold(net, calibration, design, y, rows, seen, nodes)
    starts, entry, row = column_places(design.Z.indptr, design.Z.indices, rows, design.n_codes)
    n_numeric = design.n_numeric
    count = np.diff(starts)[:n_numeric]
    sparse = np.flatnonzero(count <= _EXACT_COVERAGE * len(rows))
    sums = np.zeros((len(design.columns), 4))
    sums[sparse] = _sparse_sums(held, design, (starts, entry, row), sparse)
    for column in np.setdiff1d(np.arange(len(design.columns)), sparse, assume_unique=True):
        own = slice(int(design.starts[column]), int(design.starts[column + 1]))
        places = slice(int(starts[own.start]), int(starts[own.stop]))
        codes = np.repeat(np.arange(own.start, own.stop), np.diff(starts[own.start : own.stop + 1]))
        sums[column] = _exact_sums(held, own, codes, row[places], design.Z.data[entry[places]])
    return Evidence(len(rows), *sums.T)


def _hold(
    net: Net, calibration: Calibration, design: Design, y: NDArray[np.float32], rows: Rows, seen: Rows, nodes: int
) -> _HeldOut:
    mean = np.bincount(*_weighted_indices(design, seen), minlength=design.n_codes) / len(seen)
    reference = (mean.astype(np.float32) @ net.W)[None]  # (1, d): codes are linear in Z, so this is the mean code
    slope = np.ones((len(rows), net.W.shape[1] + 1))
    for at in range(0, len(rows), _PATH_ROWS):
        part = slice(at, at + _PATH_ROWS)
        slope[part, :-1] = path_gradients(net, codes_of(design.Z, rows[part], net.W), reference, nodes)[:, 0]
    f = calibration.apply(net.logits(design.Z, rows))
    code = np.column_stack([net.W, net.linear.w]).astype(np.float64)
    return _HeldOut(rows, slope * calibration.slope, code, mean, f, y[rows].astype(np.float64))


def _weighted_indices(design: Design, rows: Rows) -> tuple[NDArray[np.int32], Matrix]:
    part = design.Z[rows]
    return part.indices, part.data


def _sparse_sums(held: _HeldOut, design: Design, places: _Places, columns: NDArray[np.int64]) -> Floats:
    """(len(columns), 4) sums of gain, gain^2, score, score^2 of sparse numeric columns."""
    starts, entry, row = places
    p = sigmoid(held.f)
    r, h = held.y - p, p * (1 - p)
    code, mean = held.code[columns], held.mean[columns]
    centre = np.zeros(design.n_codes)
    centre[columns] = _mean_attribution(held, design, columns)
    c = centre[columns]
    along = code @ np.stack([held.slope.T @ r, held.slope.T @ h, held.slope.T @ (r * r)], axis=1)  # (n_columns, 3)
    linear = -mean * along[:, 0] - c * r.sum()
    squares = [
        mean**2 * np.einsum("ji,ji->j", code @ ((held.slope * weight[:, None]).T @ held.slope), code)
        + 2 * mean * c * along[:, k]
        + c**2 * weight.sum()
        for k, weight in ((1, h), (2, r * r))
    ]
    out = np.zeros((len(columns), 4))
    sparse_evidence(
        starts, entry, row, design.Z.data, columns, held.slope, held.code, held.mean, centre, held.f, held.y, h, out
    )
    return out + np.column_stack([linear + squares[0] / 2, squares[1], linear + squares[0], squares[1]])


def _mean_attribution(held: _HeldOut, design: Design, columns: NDArray[np.int64]) -> Floats:
    """(len(columns),) mean over rows of phi_ij = (z_ij - mean_j) c_j . g_i."""
    Q = (design.Z[held.rows].T @ held.slope)[columns]  # (n_columns, d + 1): sum_i z_ij g_i
    total = held.slope.sum(axis=0)
    code = held.code[columns]
    return (np.einsum("jd,jd->j", code, Q) - held.mean[columns] * (code @ total)) / len(held.rows)


def _exact_sums(held: _HeldOut, own: slice, codes: NDArray[np.int64], row: NDArray[np.int32], value: Matrix) -> Floats:
    """(4,) sums of one column, its attribution made for every row. `codes`, `row`, `value`: its entries of Z."""
    phi = -(held.slope @ (held.mean[own] @ held.code[own]))  # (n,): minus the mean code, along each row's gradient
    np.add.at(phi, row, value * np.einsum("id,id->i", held.slope[row], held.code[codes]))
    delta = phi - phi.mean()
    y = held.y.astype(np.float32)
    gain = binary_loss(held.f - delta, y) - binary_loss(held.f, y)
    score = delta * (held.y - sigmoid(held.f - delta))
    return np.array([gain.sum(), gain @ gain, score.sum(), score @ score])
