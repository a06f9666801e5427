"""What the footer of one part says: its rows, its columns, and how many non-zeros each chunk can hold.

Only arrays and names are kept: the parsed footer of 10,000 columns weighs more than their non-zeros often do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from storage.arrow import ColumnChunk, FileMetaData, Kind, Schema, Statistics, kinds
from storage.widening import is_list_of_items

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
        lists: by column of lists of flat items: the same.
        constants: columns that the path declares and the file does not have.
        facts: of every chunk.
    """

    key: str
    size: int
    row_groups: tuple[int, ...]
    types: Mapping[str, Kind]
    leaves: Mapping[str, int]
    lists: Mapping[str, int]
    constants: Mapping[str, str | None]
    facts: "ChunkFacts"

    @property
    def n_rows(self) -> int:
        """Rows of the part."""
        return sum(self.row_groups)

    def extremes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (n_flat,) least and greatest numbers; a null counts as 0, nan is "not known"."""
        has_zeros = self.facts.nonzeros_at_most < np.array(self.row_groups)[:, None]
        is_empty = self.facts.nonzeros_at_most == 0
        low = np.where(is_empty, 0.0, np.where(has_zeros, np.minimum(self.facts.low, 0), self.facts.low))
        high = np.where(is_empty, 0.0, np.where(has_zeros, np.maximum(self.facts.high, 0), self.facts.high))
        return low.min(axis=0, initial=np.inf), high.max(axis=0, initial=-np.inf)


def flat_leaves(schema: Schema) -> dict[str, int]:
    """Return the leaf number of each flat column; nested columns take several leaves and are passed over."""
    return _leaves(schema, lambda kind: not kinds.is_nested(kind))


def list_leaves(schema: Schema) -> dict[str, int]:
    """Return the leaf number of each column of lists of flat items."""
    return _leaves(schema, is_list_of_items)


def _leaves(schema: Schema, is_wanted: Callable[[Kind], bool]) -> dict[str, int]:
    leaves: dict[str, int] = {}
    n_before = 0
    for field in schema:
        if is_wanted(field.type):
            leaves[field.name] = n_before
        n_before += _n_leaves(field.type)
    return leaves


def _n_leaves(kind: Kind) -> int:
    if not kinds.is_nested(kind):
        return 1
    return sum(_n_leaves(kind.field(k).type) for k in range(kind.num_fields))


@dataclass(frozen=True, slots=True)
class ChunkFacts:
    """What the footer says of every chunk of a part; each (n_row_groups, n_flat), columns in the order of the leaves.

    Attributes:
        nonzeros_at_most: int64 bound; 0: the chunk need not be decoded (all null, or integers with min = max = 0).
        nonzeros_expected: int64 estimate from the encoded size, never above the bound.
        low, high: float64 extremes of numbers; nan where they are not known.
        text_bytes: int64 size of texts as they are encoded, before compression; 0 for numbers.
    """

    nonzeros_at_most: NDArray[np.int64]
    nonzeros_expected: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    text_bytes: NDArray[np.int64]


def chunk_facts(metadata: FileMetaData, leaves: Mapping[str, int]) -> ChunkFacts:
    """Read the statistics of every chunk of the flat columns `leaves`, in one pass."""
    shape = (metadata.num_row_groups, len(leaves))
    at_most, expected = np.empty(shape, np.int64), np.empty(shape, np.int64)
    low, high, texts = np.empty(shape), np.empty(shape), np.zeros(shape, np.int64)
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        for k, leaf in enumerate(leaves.values()):
            chunk = group.column(leaf)
            statistics = chunk.statistics
            low[g, k], high[g, k] = _extremes(statistics)
            at_most[g, k] = _nonzeros_at_most(chunk, statistics, group.num_rows, low[g, k], high[g, k])
            expected[g, k] = _nonzeros_expected(chunk, int(at_most[g, k]), low[g, k], high[g, k])
            if chunk.physical_type == "BYTE_ARRAY":
                texts[g, k] = chunk.total_uncompressed_size
    return ChunkFacts(at_most, expected, low, high, texts)


def _extremes(statistics: Statistics) -> tuple[float, float]:
    if statistics is None or not statistics.has_min_max:
        return np.nan, np.nan
    low, high = statistics.min, statistics.max
    if isinstance(low, int | float | Decimal):
        return float(low), float(high)
    return np.nan, np.nan


def _nonzeros_at_most(chunk: ColumnChunk, statistics: Statistics, n_rows: int, low: float, high: float) -> int:
    if statistics is None:
        return n_rows
    if low == high == 0 and chunk.physical_type in _EXACT_STATISTICS:
        return 0
    return n_rows - (statistics.null_count if statistics.has_null_count else 0)


def _nonzeros_expected(chunk: ColumnChunk, at_most: int, low: float, high: float) -> int:
    """Estimate from the encoded size, unless the extremes say that there is no zero.

    Dictionary codes are run-length or bit-packed (parquet-format, Encodings, RLE): a lone non-zero among zeros breaks a
    run and takes some 5 bytes (5.1 to 8.5 measured), while a chunk as large as its values bit-packed may be dense.
    """
    if low > 0 or high < 0:
        return at_most
    size, spread = int(chunk.total_uncompressed_size), high - low
    is_integer = chunk.physical_type in ("INT32", "INT64") and np.isfinite(spread)
    bits = max(1, int(spread).bit_length()) if is_integer else 1  # of one dictionary code, at most
    return at_most if 8 * size >= 0.9 * bits * at_most else min(at_most, size // _BYTES_OF_A_LONE_NONZERO)
