"""The kept columns of a dataset as one sparse design matrix (see Design in dataset.py)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Categories, Design
from jobs.data.kernels import select_columns
from jobs.data.split import Rows

OTHER = "(other)"  # the level that rare, unseen and null values share


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The levels of a categorical column that have a code of their own.

    Attributes:
        name: of the column.
        levels: the values with a code each; every other value, null too, shares the code behind the last of them.
        counts: training rows of each code, the shared one last.
        n_values: distinct values on training rows, null being one.
    """

    name: str
    levels: tuple[str, ...]
    counts: tuple[int, ...]
    n_values: int

    @property
    def is_constant(self) -> bool:
        """Whether all training rows have one code: nothing can be learned from it."""
        return sum(count > 0 for count in self.counts) <= 1

    @property
    def is_rare(self) -> bool:
        """Whether all training rows have one code only because each of several values is on too few rows."""
        return self.is_constant and self.n_values > 1


def fit_vocabulary(column: Categories, rows: Rows, min_rows: int) -> Vocabulary:
    """Levels seen on at least `min_rows` of `rows` get a code; the rest share one."""
    codes = column.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
    own = np.flatnonzero(counts >= max(1, min_rows))
    shared = len(codes) - int(counts[own].sum())
    levels = tuple(column.levels[k] for k in own)
    return Vocabulary(column.name, levels, (*counts[own].tolist(), shared), n_values=len(np.unique(codes)))


def encode(column: Categories, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """(n_rows,) the code of each row: position of its level in the vocabulary, or the shared code behind the last."""
    place = {level: code for code, level in enumerate(vocabulary.levels)}
    shared = len(vocabulary.levels)
    table = np.array([place.get(level, shared) for level in column.levels] + [shared], dtype=np.int32)
    return table[column.codes]  # code -1 (null) reads the last entry


def take_columns(X: csr_array, kept: NDArray[np.int64]) -> csr_array:
    """The columns `kept` (ascending) of X; X itself when that is all of them. O(nnz), no sorting."""
    if len(kept) == X.shape[1]:
        return X
    position = np.full(X.shape[1], -1, np.int64)
    position[kept] = np.arange(len(kept))
    indptr, indices, data = select_columns(X.indptr, X.indices, X.data, position)
    return csr_array((data, indices, indptr), shape=(X.shape[0], len(kept)))


def design_of(X: csr_array, names: Sequence[str], codes: Sequence[tuple[Vocabulary, NDArray[np.int32]]]) -> Design:
    """Put scaled numeric columns and the one-hot levels of categorical columns side by side.

    Args:
        X: (n_rows, n_numeric) CSR of the kept, scaled numeric columns.
        names: (n_numeric,) their names.
        codes: for each categorical column its vocabulary and (n_rows,) codes.
    """
    widths = [1] * len(names) + [len(vocabulary.counts) for vocabulary, _ in codes]
    starts = np.concatenate([[0], np.cumsum(widths, dtype=np.int64)])
    columns = (*names, *(vocabulary.name for vocabulary, _ in codes))
    if not codes:
        return Design(X, columns, starts, len(names))
    n_rows, n_each = X.shape[0], len(codes)
    levels = np.stack([values + starts[len(names) + k] for k, (_, values) in enumerate(codes)], axis=1)
    hot = csr_array(
        (
            np.ones(n_rows * n_each, np.float32),
            levels.ravel().astype(np.int32),
            np.arange(n_rows + 1, dtype=X.indptr.dtype) * n_each,
        ),
        shape=(n_rows, int(starts[-1])),
    )
    wide = csr_array((X.data, X.indices, X.indptr), shape=(n_rows, int(starts[-1])))
    return Design(csr_array(wide + hot), columns, starts, len(names))
