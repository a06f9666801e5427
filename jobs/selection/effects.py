"""What the nets hold of a column along the coordinates that it is tested along: its effect, which the test puts back.

The residual of a row lacks what the nets say of column j, phi_ij, so sum_i h_i x~_i phi_ij belongs to the score of a
coordinate x~ of j (conditional.py). The effect is the number b for which b x has that sum: the weighted slope of phi
along x, beside an intercept and what most columns have in common. The mean gradient of the nets along x is another
number wherever they bend: a rare count of active users lies where they are flat (docs/decisions/0024).
"""

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_places
from jobs.data.split import Rows
from jobs.selection.entries import Entries
from jobs.selection.kernels import slope_sums

Floats = NDArray[np.float64]

_LEAST_OWN = 1e-6  # share of a code's squares that intercept and factor must leave
_MOST_CODES = 1000  # of one column, that what its learned codes say is put down to: a matter of their cube


def effects_of_codes(held: Entries, design: Design) -> Floats:
    """(n_codes,) effect of each code on its own; of a sequence or a date with learned codes beside its plain ones.

    What learned codes say is put down to the plain ones, all together.
    """
    sums = np.zeros((len(held.mean), 6))
    slope_sums(held.starts, held.row, held.value, held.dot, held.h, held.factor, sums)
    hx, hxx, fx, hxt, hxxt, fxt = sums.T
    code, total = held.code.astype(np.float64), held.h.sum()
    along, with_factor = (np.stack([held.h, held.h * held.factor]) @ held.slope) @ code.T
    together = hxxt - held.mean * hxt - hx * (hxt - held.mean * along) / total - fx * (fxt - held.mean * with_factor)
    own = hxx - hx**2 / total - fx**2
    effect = np.divide(together, own, out=np.zeros_like(own), where=own > _LEAST_OWN * hxx)
    for k in design.n_numeric + np.flatnonzero(design.n_learned[design.n_numeric :]):
        first, end = int(design.starts[k]), int(design.starts[k + 1])
        learned = end - int(design.n_learned[k])
        if learned - first <= _MOST_CODES:
            entries = slice(int(held.starts[learned]), int(held.starts[end]))
            said = np.zeros(len(held.f))
            np.add.at(said, held.row[entries], held.value[entries] * held.dot[entries])
            effect[first:learned] += _along(held, first, learned, said)
    return effect


def _along(held: Entries, first: int, end: int, said: Floats) -> Floats:
    """(end - first,) coefficients of those codes in (n,) what is said, rows weighted by h, beside an intercept."""
    X, h = held.columns(first, end), held.h
    mean, weighted = h @ X / h.sum(), (X.T * h).tocsr()
    square = (weighted @ X).toarray() - np.outer(mean, mean) * h.sum()
    return np.asarray(np.linalg.lstsq(square, weighted @ said - mean * (h @ said), rcond=1e-9)[0], np.float64)


class Bends:
    """The hats of numeric columns, as they are tested, on some rows."""

    def __init__(self, tested: Design, columns: NDArray[np.int64], rows: Rows) -> None:
        self.starts, self._n_rows = tested.starts, len(rows)
        is_hat = np.isin(tested.owner, columns)
        is_hat[tested.starts[columns]] = False
        hats = np.flatnonzero(is_hat)
        Z = take_columns(tested.Z, hats)
        self._place = np.cumsum(is_hat) - 1
        self._entries, entry, self._row = column_places(Z.indptr, Z.indices, rows, len(hats))
        self._value = Z.data[entry]

    def of(self, column: int) -> Floats:
        """(n_rows, n_hats) of one column."""
        codes = np.arange(int(self.starts[column]) + 1, int(self.starts[column + 1]))
        hats = np.zeros((self._n_rows, len(codes)))
        for at, place in enumerate(self._place[codes]):
            own = slice(int(self._entries[place]), int(self._entries[place + 1]))
            hats[self._row[own], at] = self._value[own]
        return hats


def beyond(held: Entries, phi: Floats, entries: slice, hats: Floats) -> tuple[Floats, Floats]:
    """(n,) attributions less what the coordinates that a number is tested along say of them; its effects along these.

    These the conditional test judges, given all other columns; the nets may have theirs from a relative of the column.
    The coordinates: intercept, value, and presence, or hats where there are any. The value is asked first: hats say
    what a line cannot, so that a column without its hats is still what the nets say of it along its line.

    Args:
        held: of all columns.
        phi: (n,) attributions of the number.
        entries: those of its value.
        hats: (n, n_hats) of its hats.

    Returns:
        The rest, and (1 + n_hats,) the effects of the value, and of the hats, all together, on what its line leaves.
    """
    x, presence = np.zeros(len(phi)), np.zeros(len(phi))
    x[held.row[entries]], presence[held.row[entries]] = held.value[entries], 1
    shared = np.column_stack([np.ones(len(phi)), held.factor])
    of_line, line = _without(phi, np.column_stack([shared, x]), held.h)
    if not hats.shape[1]:
        return _without(of_line, np.column_stack([shared, x, presence]), held.h)[0], line[2:]
    rest, bends = _without(of_line, np.column_stack([shared, hats]), held.h)
    return rest, np.append(line[2:], bends[2:])


def _without(phi: Floats, base: Floats, h: Floats) -> tuple[Floats, Floats]:
    """What the columns of `base` leave of phi, rows weighted by h, and the coefficients."""
    weighted = base * h[:, None]
    effect = np.asarray(np.linalg.lstsq(weighted.T @ base, weighted.T @ phi, rcond=1e-9)[0], np.float64)
    return phi - base @ effect, effect
