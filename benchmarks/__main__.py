"""One command measures Winnow, its peers and the limits of the machine, and writes benchmarks/RESULTS.md.

    python -m benchmarks                                   everything: S and M three times, L once; takes hours
    python -m benchmarks --sizes S --only winnow --repeat 1
    python -m benchmarks --fresh --sizes S --only winnow   measure that again, keep the rest
    python -m benchmarks --only attribution                needs no drop and no size; a minute and a half

Measurements are appended to FOLDER/measurements.jsonl as they come; those that are there are not repeated.
"""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Collection
from pathlib import Path

from benchmarks.contestants import COMMANDS, NEEDS_CAPTUM, NotYetRun
from benchmarks.drops import SIZES
from benchmarks.explainers import ATTRIBUTION
from benchmarks.machine import describe_machine, is_installed, keep_to_cores
from benchmarks.records import Measurements
from benchmarks.results import render
from benchmarks.suite import HERE, Suite
from benchmarks.targets import COLUMNS_SUFFIX, ROWS_SUFFIX

_CORES = 2
_GROWTH = "growth"
_GROUPS = {"dense": ["dense", "dense-float64"], "trees": ["trees", "trees-folds"], _GROWTH: []}
_NAMES = {name: [name] for name in COMMANDS} | _GROUPS


def main() -> int:
    """Run the suite; 1 where Winnow finds less than its reference did, 2 where the arguments make no sense."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what runs is killed on the way
    keep_to_cores(_CORES)
    os.environ.pop("OPENBLAS_NUM_THREADS", None)  # make sets it for Winnow, which sets it itself; peers have all cores
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    sizes, chosen = _known(options.sizes, SIZES), _known(options.only, _NAMES)
    contestants = [name for choice in chosen for name in _NAMES[choice]]
    if NEEDS_CAPTUM.intersection(contestants) and not is_installed("captum"):
        sys.stderr.write("captum, which some peers need, is not installed: pip install -e '.[bench]'\n")
        return 2
    growth = "S" if "S" in sizes else sizes[0]
    grows = _GROWTH in chosen
    measured = Measurements(folder / "measurements.jsonl")
    if options.fresh:
        measured.forget(sizes, contestants)
        measured.forget([ATTRIBUTION], contestants)
        measured.forget([growth + ROWS_SUFFIX, growth + COLUMNS_SUFFIX] if grows else [], ["winnow"])
    limit_bytes = round(options.memory_limit * 1e9)
    suite = Suite(folder, measured, options.repeat, limit_bytes, options.keep_reference)
    try:
        faults = suite.run(sizes, contestants, growth if grows else None)
    except NotYetRun as error:
        sys.stderr.write(f"{error}\n")
        return 2
    notes = HERE / "notes.md"
    words = notes.read_text(encoding="utf-8") if notes.exists() else ""
    options.output.write_text(render(measured, describe_machine(), growth, words), encoding="utf-8")
    sys.stderr.write("".join(f"worse than the reference: {fault}\n" for fault in faults))
    return 1 if faults else 0


def _options() -> Namespace:
    parser = ArgumentParser("python -m benchmarks", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="S,M,L", help=f"of {','.join(SIZES)} (default: %(default)s)")
    parser.add_argument("--only", default=",".join(_NAMES), help="who runs (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each but L (default: %(default)s)")
    told = "drops, results, raw measurements (default: .benchmarks/)"
    parser.add_argument("--folder", type=Path, default=HERE.parent / ".benchmarks", help=told)
    parser.add_argument("--fresh", action="store_true", help="forget what was measured of these sizes and runners")
    told = "compare later runs with what Winnow finds now"
    parser.add_argument("--keep-reference", action="store_true", help=told)
    told = "GB; a process that grows larger is killed (default: %(default)s)"
    parser.add_argument("--memory-limit", type=float, default=18.0, help=told)
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md", help="the file to write")
    return parser.parse_args()


def _known(text: str, names: Collection[str]) -> list[str]:
    chosen = text.split(",")
    unknown = [name for name in chosen if name not in names]
    if unknown:
        sys.exit(f"{', '.join(unknown)}: no such name; there are {', '.join(names)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
