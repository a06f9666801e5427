"""Puts every case into one watched folder, lets the real command make one pass, and sees what became of each."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reliability.bad_inputs.cases import COMMITTED, WAITS, Case, End

WINNOW = Path(sys.executable).with_name("winnow")
PROBLEM = """\
problem: return
drops: drops/
results: results/
complete: {settle_seconds: 0.2}
table: {id: user_id, label: active}
split: {folds: 2}
net: {epochs: 1, d_block: 8, n_blocks: 1}
explain: {rows: 10, background: 0}
"""


@dataclass(frozen=True)
class Ended:
    """What a pass came to.

    Attributes:
        returncode, said: of the command, with its log.
        of: what became of each case, by name.
        disturbed: cases whose files are not as they were although they were not committed.
    """

    returncode: int
    said: str
    of: Mapping[str, End]
    disturbed: Sequence[str]


def play(cases: Sequence[Case], home: Path, problem: str = PROBLEM) -> Ended:
    """Make one pass over all cases.

    Args:
        cases: with different names.
        home: an empty folder.
        problem: the problem file.
    """
    drops = home / "drops"
    folders = {case.name: drops / case.name.replace("/", "-").replace(" ", "_") for case in cases}
    for case in cases:
        folders[case.name].mkdir(parents=True)
        case.write(folders[case.name])
    before = {name: contents(folder) for name, folder in folders.items()}
    (home / "return.yaml").write_text(problem, encoding="utf-8")
    (home / "winnow.yaml").write_text("problems: [return.yaml]\n", encoding="utf-8")
    command = [str(WINNOW), "watch", "--config", str(home / "winnow.yaml"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    ends = {name: _end(f"file://{folder}/", home, done.stderr) for name, folder in folders.items()}
    kept = [name for name, end in ends.items() if end.how != COMMITTED]
    disturbed = [name for name in kept if contents(folders[name]) != before[name]]
    return Ended(done.returncode, done.stderr, ends, disturbed)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _end(url: str, home: Path, log: str) -> End:
    results = home / "results/return"
    aside = [_read(path) for path in (results / "quarantine").glob("*.json")]
    committed = [_read(path) for path in results.glob("runs/*/COMMIT.json")]
    for record in aside:
        if record["url"].startswith(url):
            return End(record["error"], record["message"])
    if any(record["consumed"]["url"].startswith(url) for record in committed):
        return End(COMMITTED, "")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    told = [line for line in lines if str(line.get("url", "")).startswith(url)]
    waiting = [line["reason"] for line in told if line["event"] == "drop_waiting"]
    return End(WAITS, waiting[-1]) if waiting else End("?", str(told))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
