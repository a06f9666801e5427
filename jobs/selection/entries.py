"""What a net says of held-out rows, entry by entry: what every sum over them needs (gain.py, effects.py)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from jobs.data.dataset import Design
from jobs.data.kernels import column_moments, column_places
from jobs.data.split import Rows
from jobs.net.codes import Matrix, codes_of
from jobs.net.paths import path_gradients
from jobs.net.tasks import Family
from jobs.net.training import Net
from jobs.selection.held_out import Saying, orthonormal
from jobs.selection.kernels import entry_dots

PATH_ROWS = 1024  # at a time: what is as wide as a code is never made of all rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entries:
    """What the sums run over.

    Attributes:
        slope: (n, d_block + 1) float32, calibrated gradients; the last coordinate is the linear skip's.
        code: (n_codes, d_block + 1) float32.
        mean: (n_codes,) of the reference rows.
        f, y, loss: (n,) calibrated logits, labels, and the loss of the two.
        r, h: (n,) residuals and weights.
        factor: (n,) what most columns have in common, with h-weighted mean 0 and sum of squares 1; or zeros.
        family: how labels are distributed around f.
        starts: (n_codes + 1,) where the entries of each column of Z begin.
        row, value, dot: by entry, column after column: its row within the n, its value, its c_j . g_i.
        sums: (n_codes,) sum over rows of value c_j . g_i.
    """

    slope: Matrix
    code: Matrix
    mean: Floats
    f: Floats
    y: Floats
    loss: Floats
    r: Floats
    h: Floats
    factor: Floats
    family: Family
    starts: NDArray[np.int64]
    row: NDArray[np.int32]
    value: Matrix
    dot: Matrix
    sums: Floats

    def columns(self, first: int, end: int) -> csc_array:
        """(n, end - first) the values of a range of Z's columns."""
        entries = slice(int(self.starts[first]), int(self.starts[end]))
        indptr = self.starts[first : end + 1] - self.starts[first]
        return csc_array((self.value[entries], self.row[entries], indptr), shape=(len(self.f), end - first))


def hold(
    net: Net,
    saying: Saying,
    design: Design,
    y: NDArray[np.float32],
    rows: Rows,
    seen: Rows,
    nodes: int,
    factor: Floats | None,
) -> Entries:
    """Gather the entries of `rows`; the arguments are those of held_out_evidence (gain.py)."""
    Z = design.Z
    mean = column_moments(Z.indptr, Z.indices, Z.data, seen, design.n_codes)[0] / len(seen)
    reference = (mean.astype(np.float32) @ net.W)[None]  # (1, d): codes are linear in Z, so this is the mean code
    slope = np.ones((len(rows), net.W.shape[1] + 1), np.float32)
    for at in range(0, len(rows), PATH_ROWS):
        part = slice(at, at + PATH_ROWS)
        slope[part, :-1] = path_gradients(net.body, codes_of(Z, rows[part], net.W), reference, nodes)[:, 0]
    slope *= np.float32(saying.slope)
    code = np.column_stack([net.W, net.linear.w])
    starts, entry, row = column_places(Z.indptr, Z.indices, rows, design.n_codes)
    value, dot, sums = Z.data[entry], np.empty(len(row), np.float32), np.empty(design.n_codes)
    entry_dots(starts, row, value, code, slope, dot, sums)
    f, family = saying.f, saying.family
    loss, label = family.losses(f, y[rows]), y[rows].astype(np.float64)
    r, h = family.residuals(f, y[rows]), family.weights(f)
    shared = np.zeros(len(rows)) if factor is None else orthonormal(factor[rows, None], h)[:, 0]
    return Entries(slope, code, mean, f, label, loss, r, h, shared, family, starts, row, value, dot, sums)
