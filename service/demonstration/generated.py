"""The drop of an example that brings a generator of its own: a script that writes raw tables, and what it planted.

The script runs as a process: nothing of an example is ever imported, so a new one changes nothing in this house.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jobs.errors import JobError
from service.demonstration.writing import WrittenDrop, fresh_folder, truth_key
from storage import ObjectStore

GENERATOR = "generate.py"


class GeneratorFailed(JobError):
    """The script of an example did not end well; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a drop that was made.

    Attributes:
        planted: columns that act on the label.
        twins: a near duplicate by its original.
        noise: columns that have nothing to do with the label; None: all that are not planted.
    """

    planted: frozenset[str]
    twins: dict[str, str]
    noise: frozenset[str] | None


def generate(script: Path, store: ObjectStore, rows: int | None) -> tuple[WrittenDrop, Known]:
    """Run the generator of an example, and write what it made into a fresh folder; `close` writes the marker.

    Args:
        script: `script FOLDER --truth FILE [--rows N]`.
        store: takes the drop.
        rows: how many; None: as many as the script likes.

    Raises:
        GeneratorFailed: it did not end well.
    """
    with TemporaryDirectory(prefix="winnow-") as made:
        tables, truth = Path(made, "tables"), Path(made, "truth.json")
        tables.mkdir()
        asked = [] if rows is None else ["--rows", str(rows)]
        command = [sys.executable, str(script), str(tables), "--truth", str(truth), *asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a script of ours
        if done.returncode:
            raise GeneratorFailed(f"{script}: {done.stderr.strip().splitlines()[-1:] or ['no word']}")
        folder = fresh_folder()
        for file in sorted(path for path in tables.rglob("*") if path.is_file()):
            store.write(folder + file.relative_to(tables).as_posix(), file)
        store.write(truth_key(folder), truth)
        known: dict[str, Any] = json.loads(truth.read_text())
    noise = frozenset[str](known["noise"]) if "noise" in known else None
    return WrittenDrop(store, folder), Known(frozenset(known["planted"]), known.get("twins", {}), noise)
