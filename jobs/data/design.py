"""The kept columns of a dataset as one sparse design matrix (see Design in dataset.py)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Categories, Design
from jobs.data.kernels import add_block, narrow, select_columns
from jobs.data.knots import Knots, bend, no_knots
from jobs.data.split import Rows

OTHER = "(other)"  # the level that rare, unseen and null values share


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The levels of a categorical column that have a code of their own.

    Attributes:
        name: of the column.
        levels: the values with a code each; every other value shares the code behind the last of them.
        counts: training rows of each code: those of the levels, the shared one, and that of null if it has its own.
        n_values: distinct values on training rows, null being one.
        has_null: whether null has a code of its own, the last; else it shares that of rare values.
    """

    name: str
    levels: tuple[str, ...]
    counts: tuple[int, ...]
    n_values: int
    has_null: bool = False

    @property
    def null_code(self) -> int:
        """The code of null."""
        return len(self.levels) + self.has_null

    @property
    def is_constant(self) -> bool:
        """Whether all training rows have one code: nothing can be learned from it."""
        return sum(count > 0 for count in self.counts) <= 1

    @property
    def is_rare(self) -> bool:
        """Whether all training rows have one code only because each of several values is on too few rows."""
        return self.is_constant and self.n_values > 1


@dataclass(frozen=True, slots=True)
class Block:
    """The codes of one column, made elsewhere.

    Attributes:
        name: of the column.
        codes: (n_rows, n_own) CSR.
        n_knots: so many of the last of them are hats.
    """

    name: str
    codes: csr_array
    n_knots: int = 0

    @property
    def plain(self) -> "Block":
        """The block without its hats."""
        return Block(self.name, self.codes[:, : self.codes.shape[1] - self.n_knots]) if self.n_knots else self


def fit_vocabulary(column: Categories, rows: Rows, min_rows: int) -> Vocabulary:
    """Levels, and null, seen on at least `min_rows` of `rows` get a code; others, and new ones, share one."""
    codes = column.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
    own = np.flatnonzero(counts >= max(1, min_rows))
    n_null = int((codes < 0).sum())
    has_null = n_null >= max(1, min_rows)
    shared = len(codes) - int(counts[own].sum()) - has_null * n_null
    levels, of_null = tuple(column.levels[k] for k in own), (n_null,) * has_null
    return Vocabulary(column.name, levels, (*counts[own].tolist(), shared, *of_null), len(np.unique(codes)), has_null)


def encode(column: Categories, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """(n_rows,) the code of each row: position of its level in the vocabulary, the shared code, or that of null."""
    place = {level: code for code, level in enumerate(vocabulary.levels)}
    shared = len(vocabulary.levels)
    table = np.array([place.get(level, shared) for level in column.levels] + [vocabulary.null_code], dtype=np.int32)
    return table[column.codes]  # code -1 (null) reads the last entry


def take_columns(X: csr_array, kept: NDArray[np.int64]) -> csr_array:
    """The columns `kept` (ascending) of X; X itself when that is all of them. O(nnz), no sorting."""
    if len(kept) == X.shape[1]:
        return X
    position = np.full(X.shape[1], -1, np.int64)
    position[kept] = np.arange(len(kept))
    indptr, indices, data = select_columns(X.indptr, X.indices, X.data, position)
    return csr_array((data, indices, indptr), shape=(X.shape[0], len(kept)))


def design_of(
    X: csr_array,
    names: Sequence[str],
    codes: Sequence[tuple[Vocabulary, NDArray[np.int32]]],
    others: Sequence[Block] = (),
    knots: Knots | None = None,
) -> Design:
    """Put scaled numeric columns, the one-hot levels of categorical columns and the codes of others side by side.

    Args:
        X: (n_rows, n_numeric) CSR of the kept, scaled numeric columns.
        names: (n_numeric,) their names.
        codes: for each categorical column its vocabulary and (n_rows,) codes.
        others: the codes of the columns of sequences, then those of dates.
        knots: of the numeric columns; None: each is its value alone.
    """
    knots = knots or no_knots(len(names))
    numeric, n_numeric = bend(X, knots), len(names)
    widths = [*knots.widths.tolist()] + [len(vocabulary.counts) for vocabulary, _ in codes]
    widths += [block.codes.shape[1] for block in others]
    starts = np.concatenate([[0], np.cumsum(widths, dtype=np.int64)])
    columns = (*names, *(vocabulary.name for vocabulary, _ in codes), *(block.name for block in others))
    n_learned = np.zeros(len(columns), np.int64)
    n_learned[:n_numeric] = knots.widths - 1
    n_learned[len(columns) - len(others) :] = [block.n_knots for block in others]
    if len(columns) == len(names):
        return Design(numeric, columns, starts, n_numeric, n_learned)
    blocks = [numeric, *(_one_hot(vocabulary, own) for vocabulary, own in codes), *(block.codes for block in others)]
    return Design(_side_by_side(blocks), columns, starts, n_numeric, n_learned)


def bend_numbers(design: Design, knots: Knots) -> Design:
    """A design without knots, with those of its numeric columns; the design itself where there are none."""
    if not len(knots.at):
        return design
    others = np.full(design.n_codes - design.n_numeric, knots.starts[-1])
    of_codes = Knots(np.concatenate([knots.starts, others]), knots.at)
    starts, n_learned = np.concatenate([[0], np.cumsum(of_codes.widths)]), design.n_learned.copy()
    n_learned[: design.n_numeric] = knots.widths - 1
    return Design(bend(design.Z, of_codes), design.columns, starts[design.starts], design.n_numeric, n_learned)


def append_codes(design: Design, column: str, said: NDArray[np.float32]) -> Design:
    """The design with further codes (n_rows, n) behind those that a column has."""
    k, n = design.columns.index(column), said.shape[1]
    starts, n_learned = design.starts.copy(), design.n_learned.copy()
    end, n_learned[k] = int(starts[k + 1]), n_learned[k] + n
    starts[k + 1 :] += n
    Z = _side_by_side([design.Z[:, :end], csr_array(said), design.Z[:, end:]])
    return Design(Z, design.columns, starts, design.n_numeric, n_learned)


def _side_by_side(blocks: Sequence[csr_array]) -> csr_array:
    """The blocks in one matrix; scipy's hstack goes by way of triples, and needs five times the memory."""
    lengths = np.sum([np.diff(block.indptr) for block in blocks], axis=0)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    filled, first = np.zeros(len(lengths), np.int64), 0
    for block in blocks:
        add_block(block.indptr, block.indices, block.data, first, indptr, filled, indices, data)
        first += block.shape[1]
    return csr_array((data, indices, narrow(indptr)), shape=(len(lengths), first))


def _one_hot(vocabulary: Vocabulary, codes: NDArray[np.int32]) -> csr_array:
    n_rows = len(codes)
    hot = np.ones(n_rows, np.float32), codes, np.arange(n_rows + 1, dtype=np.int32)
    return csr_array(hot, shape=(n_rows, len(vocabulary.counts)))
