"""Columns that hold several items a row, in order: lists, or one text with a delimiter.

A part's items become numbers at once, so that the texts of all rows never exist at one time. Null and the empty text
are no items; white space around an item of a text is none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.arrow import Column, arrow, compute, kinds


@dataclass(frozen=True, slots=True)
class Items:
    """The items of some rows.

    Attributes:
        lengths: (n_rows,) int64.
        codes: (n_items,) int32, row after row; index into `levels`.
        levels: the distinct items as text, in any order.
    """

    lengths: NDArray[np.int64]
    codes: NDArray[np.int32]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceColumn:
    """One column of sequences.

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


def items_of(column: Column, delimiter: str) -> Items:
    """Take a column of lists or of delimited texts apart.

    Args:
        column: lists of texts or numbers, or texts.
        delimiter: between the items of a text.
    """
    chunks = [_items_of_chunk(chunk, delimiter) for chunk in column.chunks]
    return stacked(chunks)


def stacked(parts: Sequence[Items]) -> Items:
    """Return the items of several cuts of the rows as one, with sorted levels."""
    levels = tuple(sorted(set[str]().union(*(part.levels for part in parts))))
    place = {level: number for number, level in enumerate(levels)}
    codes = [np.array([place[level] for level in part.levels] or [0], np.int32)[part.codes] for part in parts]
    nothing = np.zeros(0, np.int64)
    lengths = np.concatenate([nothing, *(part.lengths for part in parts)])
    return Items(lengths, np.concatenate([nothing.astype(np.int32), *codes]), levels)


def in_order(name: str, items: Items, order: NDArray[np.int64]) -> SequenceColumn:
    """Return the column with its rows in another order: row i of the result is row order[i]."""
    starts = np.concatenate([[0], np.cumsum(items.lengths)])
    lengths = items.lengths[order]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    shift = np.repeat(indptr[:-1] - starts[order], lengths)
    at = np.arange(int(indptr[-1]), dtype=np.int64) - shift
    return SequenceColumn(name, indptr, items.codes[at], items.levels)


def _items_of_chunk(chunk: Column, delimiter: str) -> Items:
    if kinds.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if kinds.is_list(chunk.type) or kinds.is_large_list(chunk.type) or kinds.is_fixed_size_list(chunk.type):
        lists, texts = chunk, compute.list_flatten(chunk).cast(arrow.string())
    else:
        lists = compute.split_pattern(chunk.cast(arrow.string()), pattern=delimiter)
        texts = compute.utf8_trim_whitespace(compute.list_flatten(lists))
    lengths = compute.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    is_item = compute.fill_null(compute.not_equal(texts, ""), fill_value=False).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lengths)), lengths)[is_item]
    encoded = texts.filter(arrow.array(is_item)).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Items(np.bincount(rows, minlength=len(lengths)), codes, tuple(encoded.dictionary.to_pylist()))
