"""What a case is, and the table that every case begins with: 240 users, six counts, one of which tells."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from storage.keys import MARKER

N_ROWS = 240
WRITE = "0f7c0e2c-1f0e-4c52-9d5f-0123456789ab"
COMMITTED, WAITS = "committed", "waits"  # beside the names of errors, under which a drop goes to quarantine

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One drop, and what must become of it.

    Attributes:
        name: also part of its folder.
        write: writes it into a folder that is there.
        ends: COMMITTED, WAITS, or the class of the error with which it is put aside; several, where either is right.
        says: what the reason contains.
    """

    name: str
    write: Write
    ends: str
    says: str = ""

    def allows(self, end: "End") -> bool:
        """Tell whether this may become of it."""
        return end.how in self.ends.split() and self.says in end.why


@dataclass(frozen=True, slots=True)
class End:
    """What became of a case.

    Attributes:
        how: COMMITTED, WAITS, or the class of the error with which it was put aside.
        why: the reason.
    """

    how: str
    why: str


def part_name(number: int = 0) -> str:
    """Return the name that Spark gives a part."""
    return f"part-{number:05d}-{WRITE}-c000.snappy.parquet"


def columns(n_rows: int = N_ROWS, first: int = 0) -> dict[str, pa.Array]:
    """Return the columns of a good table.

    Args:
        n_rows: users.
        first: the first id.
    """
    random = np.random.default_rng(first)
    counts = random.poisson(0.5, (n_rows, 6))
    label = (random.random(n_rows) < 1 / (1 + np.exp(1 - 2 * counts[:, 0]))).astype(np.int64)
    label[:4] = (0, 1, 0, 1)[:n_rows]
    keys = {"user_id": pa.array(np.arange(first, first + n_rows)), "active": pa.array(label)}
    return keys | {f"c{k}": pa.array(counts[:, k].astype(np.float64)) for k in range(6)}


def body(given: Mapping[str, pa.Array] | pa.Table | None = None, **options: object) -> bytes:
    """Return a part with these columns; those of a good table if none are given."""
    table = given if isinstance(given, pa.Table) else pa.table(dict(columns() if given is None else given))
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def files(contents: Mapping[str, bytes], marker: bytes | None = b"") -> Write:
    """Return what writes these files, and a marker after them unless it is None."""

    def write(folder: Path) -> None:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if marker is not None:
            (folder / MARKER).write_bytes(marker)

    return write


def table(**changed: pa.Array | None) -> Write:
    """Return what writes a good table with some columns changed, added, or (None) left out."""
    merged: dict[str, pa.Array | None] = {**columns(), **changed}
    return files({part_name(): body({name: column for name, column in merged.items() if column is not None})})


def two_parts(first: Mapping[str, pa.Array], second: Mapping[str, pa.Array]) -> Write:
    """Return what writes a part with the first columns added, and one with the second."""
    return files(
        {
            part_name(0): body({**columns(N_ROWS // 2), **first}),
            part_name(1): body({**columns(N_ROWS // 2, N_ROWS // 2), **second}),
        }
    )
