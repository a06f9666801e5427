"""The raw measurements: one JSON line each, appended as they come, so that an interrupted suite can go on."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Measurement, measurement_from, median_of


@dataclass(frozen=True, slots=True)
class Record:
    """One measured run.

    Attributes:
        size: name of the drop.
        contestant: who ran.
        at: UTC, when it ended.
        load: average number of running processes in the minute before it began.
        command: what was run, without paths of this machine.
        measurement: what it took.
        outcome: of Winnow: what it found (benchmarks.outcomes).
    """

    size: str
    contestant: str
    at: str
    load: float
    command: str
    measurement: Measurement
    outcome: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Measurements:
    """All records of a folder.

    Args:
        path: of the JSON lines file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records = [_record_from(line) for line in path.read_text().splitlines()] if path.exists() else []

    def add(self, record: Record) -> None:
        """Append one record, at once."""
        self.records.append(record)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")

    def forget(self, sizes: Collection[str], contestants: Collection[str]) -> None:
        """Drop what was measured of these contestants on these sizes."""
        self.records = [r for r in self.records if r.size not in sizes or r.contestant not in contestants]
        self._path.write_text("".join(json.dumps(asdict(record)) + "\n" for record in self.records), encoding="utf-8")

    def of(self, size: str, contestant: str) -> list[Record]:
        """Records of one contestant on one drop."""
        return [record for record in self.records if record.size == size and record.contestant == contestant]

    def median(self, size: str, contestant: str) -> Measurement | None:
        """The median measurement; None where nothing was measured."""
        runs = [record.measurement for record in self.of(size, contestant)]
        return median_of(runs) if runs else None


def names_in_order(records: Sequence[Record]) -> list[str]:
    """The sizes that were measured, in the order of their first record."""
    return list(dict.fromkeys(record.size for record in records))


def _record_from(line: str) -> Record:
    document: dict[str, Any] = json.loads(line)
    measurement = measurement_from(document.pop("measurement"))
    return Record(measurement=measurement, **document)
