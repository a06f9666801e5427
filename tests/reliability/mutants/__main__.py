"""Remove every guard in turn and see that a proof fails: `python -m tests.reliability.mutants`.

Ends with 1 where a mutant lived: then a guard could be lost and nobody would know.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.architecture.tree import ROOT
from tests.reliability.mutants.mutants import MUTANTS, SIMULATION, Mutant
from tests.reliability.rotation import TENTHS, tenth_of
from tests.servers.kinds import FOLDER as SERVERS

COPIED = ("config", "storage", "jobs", "service", "tests", "examples", "pyproject.toml", "README.md", "docs")
# Ceph takes seconds to start, and adds nothing about guards of ours that the other servers do not see.
_PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", "not ceph")
_SIMULATION = (sys.executable, "-m", "tests.reliability.simulation", "--schedules", "300", "--processes", "1")


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.mutants", description=__doc__)
    parser.add_argument("--tenth", type=int, choices=range(TENTHS), help="only this tenth of them")
    parser.add_argument("--only", default="", help="only those whose guard contains this")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (2)")
    given = parser.parse_args()
    mutants = [mutant for mutant in tenth_of(MUTANTS, given.tenth) if given.only in mutant.guard]
    with ThreadPoolExecutor(given.processes) as pool:
        caught = 0
        for mutant, by in zip(mutants, pool.map(caught_by, mutants), strict=True):
            caught += by is not None
            print(f"{'caught by ' + by if by else 'LIVED':45} {mutant.guard}", flush=True)
    print(f"{caught} of {len(mutants)} caught")
    return 0 if caught == len(mutants) else 1


def caught_by(mutant: Mutant) -> str | None:
    """Return the first proof that fails where a guard is removed; None where none does."""
    with TemporaryDirectory(prefix="winnow-mutant-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        apply(mutant, copy)
        return next((proof for proof in mutant.proofs if _fails(proof, copy)), None)


def apply(mutant: Mutant, tree: Path) -> None:
    """Remove the guard in a copy of the tree.

    Raises:
        ValueError: its text is not there exactly once.
    """
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file} has {text.count(mutant.old)} times {mutant.old!r} ({mutant.guard})")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def _fails(proof: str, tree: Path) -> bool:
    command: Sequence[str] = _SIMULATION if proof == SIMULATION else (*_PYTEST, proof)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WINNOW_TEST_SERVERS": str(SERVERS),  # the copy has none, and the first test that needs one would end the proof
    }
    ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    # A mutant that is only broken must not pass for a caught one: both proofs end with 1 after a verdict.
    if ended.returncode != 0 and ("failed" if proof != SIMULATION else "drops committed") not in ended.stdout:
        raise RuntimeError(f"{proof} ends without a verdict:\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
    return ended.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
