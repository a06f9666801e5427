"""The records that the pure rooms hand to each other: a validated dataset, the design matrix of its kept columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import narrow


@dataclass(frozen=True, slots=True)
class Categories:
    """A categorical column.

    Attributes:
        name: its name in the drop.
        codes: (n_rows,) int32; index into `levels`, -1 for null.
        levels: the distinct values as text, sorted.
    """

    name: str
    codes: NDArray[np.int32]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sequences:
    """A column of sequences.

    Attributes:
        name: its name in the drop.
        indptr: (n_rows + 1,) int64; row i holds codes[indptr[i]:indptr[i + 1]], the oldest first.
        codes: (n_items,) int32; index into `levels`.
        levels: the distinct items as text, sorted.
    """

    name: str
    indptr: NDArray[np.int64]
    codes: NDArray[np.int32]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dates:
    """A column of dates.

    Attributes:
        name: its name in the drop.
        moments: (n_rows,) datetime64[us], NaT for null.
    """

    name: str
    moments: NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A validated drop: finite numbers, unique ids, a label that the task can be learned from.

    Attributes:
        ids: (n_rows,) unique.
        X: (n_rows, n_numeric) CSR float32, raw values; zero means "never happened".
        names: (n_numeric,) column names of X, sorted.
        categorical: the categorical columns, sorted by name.
        y: (n_rows,) float32: the number of the class, or the label itself where it is a number.
        classes: the label values that y = 0, 1, ... stand for, as text; empty where the label is a number. Of two
            classes the second is the positive one.
        coarse: names of numeric columns whose values lie closer together than float32 can tell.
        group, time, split: (n_rows,), where the problem names such a column.
        sequences: the columns of sequences, sorted by name.
        dates: the columns of dates, sorted by name.
        until: (n_rows,) datetime64[us], each row's own time, where the problem names a column of it.
        report_by: columns that are not learned from, sorted by name.
        numbers: (n_rows,) float64, a label that is a number with all its digits; empty for classes.
    """

    ids: NDArray[np.generic]
    X: csr_array
    names: tuple[str, ...]
    categorical: tuple[Categories, ...]
    y: NDArray[np.float32]
    classes: tuple[str, ...]
    coarse: frozenset[str] = frozenset()
    group: NDArray[np.generic] | None = None
    time: NDArray[np.generic] | None = None
    split: NDArray[np.generic] | None = None
    sequences: tuple[Sequences, ...] = ()
    dates: tuple[Dates, ...] = ()
    until: NDArray[np.datetime64] | None = None
    report_by: tuple[Categories, ...] = ()
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def label(self) -> NDArray[np.float32] | NDArray[np.float64]:
        """(n_rows,) the label, of a number with all its digits."""
        return self.numbers if len(self.numbers) else self.y

    def with_numbers_of(self, rows: NDArray[np.int64]) -> "Dataset":
        """The dataset with the numbers of these rows (ascending) alone; of all others X is empty."""
        part, length = self.X[rows], np.zeros(self.n_rows + 1, np.int64)
        length[rows + 1] = np.diff(part.indptr)
        indptr = narrow(np.cumsum(length))
        return replace(self, X=csr_array((part.data, part.indices, indptr), shape=self.X.shape))

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.y)


@dataclass(frozen=True, slots=True)
class Design:
    """The kept columns as one sparse matrix, whatever their kind.

    A numeric column is one column of Z, its scaled value, and if it has knots (knots.py) one more for each of these; a
    categorical column is one column of Z for each of its levels, 1 where the row has that level; a column of sequences
    is one for each of its items, the item's share of the row's sequence, one for its length, and, where a net has an
    encoder for it (jobs/net/encoders.py), one for each number that this says; what a column of dates is, dates.py says.
    So the code of a row (jobs/net/codes.py) is a row of Z times one weight matrix, and what is explained is always a
    contiguous range of Z's columns.

    Attributes:
        Z: (n_rows, n_codes) CSR float32.
        columns: (n_columns,) names; numeric columns first, then categorical ones, sequences, dates.
        starts: (n_columns + 1,) int64; column k owns Z[:, starts[k]:starts[k + 1]].
        n_numeric: the number of numeric columns.
        n_learned: (n_columns,) int64; so many of the last codes of a column are knots, or numbers of an encoder.
    """

    Z: csr_array
    columns: tuple[str, ...]
    starts: NDArray[np.int64]
    n_numeric: int
    n_learned: NDArray[np.int64]

    @property
    def n_codes(self) -> int:
        """The number of columns of Z."""
        return int(self.starts[-1])

    @property
    def plain_codes(self) -> NDArray[np.int64]:
        """Positions of all other codes."""
        behind = self.starts[1:][self.owner] - np.arange(self.n_codes)  # 1: the last code of its column
        return np.flatnonzero(behind > self.n_learned[self.owner])

    def codes_of(self, columns: Sequence[str]) -> list[NDArray[np.int64]]:
        """The codes of each of these columns, of those that were kept."""
        place = {name: k for k, name in enumerate(self.columns)}
        kept = [place[name] for name in columns if name in place]
        return [np.arange(self.starts[k], self.starts[k + 1]) for k in kept]

    @property
    def owner(self) -> NDArray[np.int64]:
        """(n_codes,) the index of the column that owns each column of Z."""
        return np.repeat(np.arange(len(self.columns)), np.diff(self.starts))
