"""What the footer of one part says: its rows, its columns, and how many non-zeros each chunk can hold.

Only arrays and names are kept: the parsed footer of 10,000 columns weighs more than their non-zeros often do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.arrow import ColumnChunk, FileMetaData, Kind, Schema, kinds

# Writers leave NaN out of minimum and maximum: of floats, min = max = 0 does not say that all is zero.
_EXACT_STATISTICS = frozenset({"INT32", "INT64", "BOOLEAN"})
_BYTES_OF_A_LONE_NONZERO = 5


@dataclass(frozen=True, slots=True)
class PartFooter:
    """One part as its footer describes it.

    Attributes:
        key: of the object.
        size: of the object, in bytes.
        row_groups: rows of each row group.
        types: by column of the file, in its order.
        leaves: by flat (not nested) column: its number among the leaves of the parquet schema.
        constants: columns that the path declares and the file does not have.
        nonzeros_at_most: (n_row_groups, n_flat) int64, columns in the order of `leaves`.
        nonzeros_expected: the same shape; an estimate from the encoded size, for knowing the memory in advance.
    """

    key: str
    size: int
    row_groups: tuple[int, ...]
    types: Mapping[str, Kind]
    leaves: Mapping[str, int]
    constants: Mapping[str, str | None]
    nonzeros_at_most: NDArray[np.int64]
    nonzeros_expected: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Rows of the part."""
        return sum(self.row_groups)


def flat_leaves(schema: Schema) -> dict[str, int]:
    """Return the leaf number of each flat column; nested columns take several leaves and are passed over."""
    leaves: dict[str, int] = {}
    n_before = 0
    for field in schema:
        width = _n_leaves(field.type)
        if not kinds.is_nested(field.type):
            leaves[field.name] = n_before
        n_before += width
    return leaves


def _n_leaves(kind: Kind) -> int:
    if not kinds.is_nested(kind):
        return 1
    return sum(_n_leaves(kind.field(k).type) for k in range(kind.num_fields))


def count_nonzeros(metadata: FileMetaData, leaves: Mapping[str, int]) -> NDArray[np.int64]:
    """Return an upper bound of the non-zeros of each chunk: (n_row_groups, n_flat) int64.

    0 means that the chunk need not be decoded: all null, or integers with min = max = 0.
    """
    bounds = np.empty((metadata.num_row_groups, len(leaves)), np.int64)
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        bounds[g] = [_nonzeros_of_chunk(group.column(leaf), group.num_rows) for leaf in leaves.values()]
    return bounds


def expect_nonzeros(metadata: FileMetaData, leaves: Mapping[str, int], at_most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Estimate the non-zeros of each chunk from its encoded size: (n_row_groups, n_flat) int64, never above `at_most`.

    Dictionary codes are run-length or bit-packed (parquet-format, Encodings, RLE): a lone non-zero among zeros breaks a
    run and takes some 5 bytes (5.1 to 8.5 measured), while a chunk as large as its values bit-packed may be dense.
    """
    expected = np.empty_like(at_most)
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        chunks = (group.column(leaf) for leaf in leaves.values())
        expected[g] = [_expected_of_chunk(chunk, int(most)) for chunk, most in zip(chunks, at_most[g], strict=True)]
    return expected


def _expected_of_chunk(chunk: ColumnChunk, at_most: int) -> int:
    size = int(chunk.total_uncompressed_size)
    may_be_dense = 8 * size >= 0.9 * _value_bits(chunk) * at_most
    return at_most if may_be_dense else min(at_most, size // _BYTES_OF_A_LONE_NONZERO)


def _value_bits(chunk: ColumnChunk) -> int:
    """Bits of one dictionary code, at most: by the range of an integer column, else 1."""
    statistics: Any = chunk.statistics
    if statistics is None or not statistics.has_min_max or chunk.physical_type not in ("INT32", "INT64"):
        return 1
    if not isinstance(statistics.min, int):
        return 1
    return max(1, (statistics.max - statistics.min).bit_length())


def _nonzeros_of_chunk(chunk: ColumnChunk, n_rows: int) -> int:
    statistics: Any = chunk.statistics
    if statistics is None:
        return n_rows
    if (
        statistics.has_min_max
        and chunk.physical_type in _EXACT_STATISTICS
        and statistics.min == 0
        and statistics.max == 0
    ):
        return 0
    return n_rows - (statistics.null_count if statistics.has_null_count else 0)
