"""The footers of a drop's parts: are they parquet, do they have one schema, how much is in them.

Nothing of the data is decoded here. Refuses parts that do not agree: reading what they have in common would be a
table that nobody wrote.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from storage.arrow import Kind, arrow, parquet
from storage.errors import CorruptObject, SchemaConflict
from storage.footers import PartFooter, chunk_facts, flat_leaves, list_leaves
from storage.partitions import partition_values
from storage.store import ObjectInfo
from storage.widening import common_type, plain

OpenPart = Callable[[ObjectInfo], AbstractContextManager[BinaryIO]]

_FOOTER_THREADS = 8  # footers are small: opening them is waiting
_NAMED = 5  # columns that an error spells out


@dataclass(frozen=True, slots=True)
class DropSchema:
    """The common schema of all parts, and what their footers count.

    Attributes:
        columns: type of each column, partition columns included; sorted by name.
        parts: the footers, sorted by key.
    """

    columns: Mapping[str, Kind]
    parts: tuple[PartFooter, ...]

    @property
    def n_rows(self) -> int:
        """Rows of all parts."""
        return sum(part.n_rows for part in self.parts)

    @property
    def part_rows(self) -> Mapping[str, int]:
        """Rows of each part by its key."""
        return {part.key: part.n_rows for part in self.parts}

    @property
    def partition_columns(self) -> frozenset[str]:
        """Columns that only the folders of the parts declare (dt=2026-01-01/)."""
        return frozenset(name for part in self.parts for name in part.constants)

    @property
    def compressed_bytes(self) -> int:
        """Size of all parts."""
        return sum(part.size for part in self.parts)

    def nonzeros_at_most(self, columns: Iterable[str]) -> int:
        """Return an upper bound of the non-zeros in these columns, from the statistics. O(chunks)."""
        return sum(_sum_of(part, part.facts.nonzeros_at_most, columns) for part in self.parts)

    def nonzeros_expected(self, columns: Iterable[str]) -> int:
        """Return an estimate of the non-zeros in these columns, from the encoded sizes. O(chunks)."""
        return sum(_sum_of(part, part.facts.nonzeros_expected, columns) for part in self.parts)

    def text_bytes(self, columns: Iterable[str]) -> int:
        """Return the bytes that the texts in these columns take before compression. O(chunks)."""
        return sum(_sum_of(part, part.facts.text_bytes, columns) for part in self.parts)

    def extremes(self) -> dict[str, tuple[float, float]]:
        """Return least and greatest number of every flat column; a null counts as 0, nan is "not known". O(chunks)."""
        found: dict[str, tuple[float, float]] = {}
        for part in self.parts:
            low, high = part.extremes()
            for name, least, greatest in zip(part.leaves, low.tolist(), high.tolist(), strict=True):
                before = found.get(name, (least, greatest))
                found[name] = (float(np.minimum(before[0], least)), float(np.maximum(before[1], greatest)))
        return found


@contextmanager
def translated(key: str) -> Generator[None]:
    """Turn what Arrow says of broken bytes into CorruptObject; what the store says passes unchanged.

    Arrow's own input/output errors carry no errno; those of the operating system do.
    """
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        found = f"not readable as parquet: {str(error).splitlines()[0]}"
        hint = "The part is torn or is no parquet file: write it again, or take it out of the drop"
        raise CorruptObject("read", key, found, hint) from error


def inspect_parts(parts: Sequence[ObjectInfo], open_part: OpenPart) -> DropSchema:
    """Open every footer and find the common schema.

    Args:
        parts: the parts of one drop, in any order.
        open_part: opens exactly the version that an ObjectInfo names.

    Raises:
        CorruptObject: a part is torn, empty or not parquet.
        SchemaConflict: two parts have different columns, or one part has a column twice.
    """
    columns: dict[str, Kind] = {}
    origins: dict[str, str] = {}
    footers: list[PartFooter] = []
    with ThreadPoolExecutor(_FOOTER_THREADS) as pool:
        for footer in pool.map(partial(_read_footer, open_part=open_part), sorted(parts)):
            _merge(columns, origins, footer, footers[0].key if footers else footer.key)
            footers.append(_sharing(footer, footers[0]) if footers else footer)
    return DropSchema({name: columns[name] for name in sorted(columns)}, tuple(footers))


def _sum_of(part: PartFooter, counts: NDArray[np.int64], columns: Iterable[str]) -> int:
    wanted = frozenset(columns)
    return int(counts[:, [name in wanted for name in part.leaves]].sum())


def _read_footer(info: ObjectInfo, open_part: OpenPart) -> PartFooter:
    with open_part(info) as file, translated(info.key), parquet.ParquetFile(file) as opened:
        schema, metadata = opened.schema_arrow, opened.metadata
        _refuse_doubles(info.key, schema.names)
        leaves = flat_leaves(schema)
        declared = partition_values(info.key)
        return PartFooter(
            key=info.key,
            size=info.size,
            row_groups=tuple(metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)),
            types={field.name: field.type for field in schema},
            leaves=leaves,
            lists=list_leaves(schema),
            constants={name: value for name, value in declared.items() if name not in schema.names},
            facts=chunk_facts(metadata, leaves),
        )


def _refuse_doubles(key: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        doubles = sorted({name for name in names if names.count(name) > 1})
        hint = "Give every column a name of its own"
        raise SchemaConflict("read", key, f"columns that occur more than once: {_spelled(doubles)}", hint)


def _merge(columns: dict[str, Kind], origins: dict[str, str], footer: PartFooter, first: str) -> None:
    """Widen `columns` by one part; `origins` remembers which part first gave a column its type."""
    types = dict(footer.types) | dict.fromkeys(footer.constants, arrow.string())
    if not columns:
        columns.update((name, plain(kind)) for name, kind in types.items())
        origins.update(dict.fromkeys(types, footer.key))
        return
    faults = [f"{side}: {_spelled(names)}" for side, names in _set_differences(columns, types) if names]
    for name in sorted(columns.keys() & types.keys()):
        common = common_type(columns[name], types[name])
        if common is None:
            faults.append(f"column {name!r} is {types[name]}, but {columns[name]} in {origins[name]}")
        elif common != columns[name]:
            columns[name], origins[name] = common, footer.key
    if faults:
        found = f"not the schema of {first}: {'; '.join(faults[:_NAMED])}"
        hint = "All parts of a drop must come from one write: remove the stale ones, or cast the columns to one type"
        raise SchemaConflict("read", footer.key, found, hint)


def _set_differences(columns: Mapping[str, object], types: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    return [
        ("columns only there", sorted(columns.keys() - types.keys())),
        ("columns only here", sorted(types.keys() - columns.keys())),
    ]


def _spelled(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more


def _sharing(footer: PartFooter, first: PartFooter) -> PartFooter:
    # Most parts repeat the first one's names and types: thousands of them, kept once.
    same = (footer.leaves, footer.lists) == (first.leaves, first.lists) and list(footer.types.items()) == list(
        first.types.items()
    )
    return replace(footer, types=first.types, leaves=first.leaves, lists=first.lists) if same else footer
