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
from jobs.data.item_kernels import distinct_codes, fill_shares, last_codes, rows_with_any, rows_with_items
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
    counts = rows_with_items(column.indptr, column.codes, rows, max_length, len(column.levels))
    is_own = counts >= max(1, min_rows)
    shared = rows_with_any(column.indptr, column.codes, rows, max_length, ~is_own)
    lengths = np.minimum(np.diff(column.indptr)[rows], max_length)
    n_values = int((counts > 0).sum()) + bool((lengths == 0).any()) + bool(np.ptp(lengths) if len(lengths) else 0)
    levels = tuple(column.levels[k] for k in np.flatnonzero(is_own))
    return Vocabulary(column.name, levels, (*counts[is_own].tolist(), int(shared)), n_values)


def share_items(column: Sequences, vocabulary: Vocabulary, max_length: int) -> csr_array:
    """(n_rows, n_codes + 1) CSR: share of each code among the last `max_length` items, and log(1 + their number).

    The number is divided by log(1 + max_length), so every entry lies in [0, 1].
    """
    n_codes, place = len(vocabulary.counts), _places(column, vocabulary)
    distinct = distinct_codes(column.indptr, column.codes, max_length, place, n_codes)
    indptr = np.concatenate([[0], np.cumsum(distinct + (distinct > 0))])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    fill_shares(column.indptr, column.codes, max_length, place, n_codes, indptr, indices, data)
    return csr_array((data, indices, indptr), shape=(len(distinct), n_codes + 1))


def order_items(column: Sequences, vocabulary: Vocabulary, max_length: int) -> Ordered:
    """Return the last `max_length` items of every row, in order."""
    indptr = np.concatenate([[0], np.cumsum(np.minimum(np.diff(column.indptr), max_length))])
    items = np.empty(indptr[-1], np.int32)
    last_codes(column.indptr, column.codes, _places(column, vocabulary), indptr, items)
    return Ordered(column.name, indptr, items, len(vocabulary.counts), max_length)


def _places(column: Sequences, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """(n_levels,) the code of every item of the column; rare and unseen ones share the last."""
    code = {level: k for k, level in enumerate(vocabulary.levels)}
    return np.array([code.get(level, len(vocabulary.counts) - 1) for level in column.levels], np.int32)
