"""Columns of sequences as codes: each row the mean of the codes of its last items, and a code for how many there are.

An item's entry is its share among them, so the code of the column is the mean of its items' codes (mean pooling), and
items are explained like the levels of a categorical column. For encoders that read their order the items are kept too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Sequences
from jobs.data.design import Vocabulary
from jobs.data.split import Rows


@dataclass(frozen=True, slots=True)
class Ordered:
    """The last items of every row of a column, in order.

    Attributes:
        name: of the column.
        indptr: (n_rows + 1,) int64; row i holds items[indptr[i]:indptr[i + 1]], the oldest first.
        items: (n,) int32, numbered from 1 as in the vocabulary; rare and unseen ones share the last number.
        n_items: the last number.
        max_length: most items of a row.
    """

    name: str
    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    n_items: int
    max_length: int


def fit_items(column: Sequences, rows: Rows, min_rows: int, max_length: int) -> Vocabulary:
    """Items in the last `max_length` of at least `min_rows` of `rows` get a code; the rest share one.

    `counts` are rows here, and `n_values` distinct items, no item at all being one and several lengths another.
    """
    row, item = _last_items(column, max_length)
    is_training = np.zeros(len(column.indptr) - 1, np.bool_)
    is_training[rows] = True
    pairs = np.unique(np.stack([row, item], axis=1)[is_training[row]], axis=0)
    counts = np.bincount(pairs[:, 1], minlength=len(column.levels))
    own = np.flatnonzero(counts >= max(1, min_rows))
    shared = len(np.unique(pairs[~np.isin(pairs[:, 1], own), 0]))
    is_empty = len(np.unique(pairs[:, 0])) < len(rows)
    levels = tuple(column.levels[k] for k in own)
    lengths = np.minimum(np.diff(column.indptr)[rows], max_length)
    n_values = int((counts > 0).sum()) + is_empty + (len(np.unique(lengths)) > 1)
    return Vocabulary(column.name, levels, (*counts[own].tolist(), shared), n_values)


def share_items(column: Sequences, vocabulary: Vocabulary, max_length: int) -> csr_array:
    """(n_rows, n_codes + 1) CSR: share of each code among the last `max_length` items, and log(1 + their number).

    The number is divided by log(1 + max_length), so every entry lies in [0, 1].
    """
    row, code = _last_codes(column, vocabulary, max_length)
    n_rows, n_codes = len(column.indptr) - 1, len(vocabulary.counts)
    lengths = np.bincount(row, minlength=n_rows)
    shares = csr_array((1 / lengths[row], (row, code)), shape=(n_rows, n_codes + 1))  # equal pairs are summed
    some = np.flatnonzero(lengths)
    of_length = np.log1p(lengths[some]) / np.log1p(max_length)
    shares = csr_array(shares + csr_array((of_length, (some, np.full(len(some), n_codes))), shape=shares.shape))
    return csr_array(shares.astype(np.float32))


def order_items(column: Sequences, vocabulary: Vocabulary, max_length: int) -> Ordered:
    """Return the last `max_length` items of every row, in order."""
    row, code = _last_codes(column, vocabulary, max_length)
    lengths = np.bincount(row, minlength=len(column.indptr) - 1)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return Ordered(column.name, indptr, (code + 1).astype(np.int32), len(vocabulary.counts), max_length)


def _last_codes(
    column: Sequences, vocabulary: Vocabulary, max_length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and code of the last `max_length` items of every row."""
    row, item = _last_items(column, max_length)
    place = {level: code for code, level in enumerate(vocabulary.levels)}
    shared = len(vocabulary.counts) - 1
    return row, np.array([place.get(level, shared) for level in column.levels] or [0], np.int64)[item]


def _last_items(column: Sequences, max_length: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Row and item of the last `max_length` items of every row."""
    lengths = np.diff(column.indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    is_last = np.arange(len(column.codes)) >= (column.indptr[1:] - max_length)[row]
    return row[is_last], column.codes[is_last]
