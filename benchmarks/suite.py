"""Makes the missing drops, runs every contestant on them one after the other, keeps what was measured."""

import multiprocessing
import os
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from benchmarks.contestants import COMMANDS, PROBLEM, Bench
from benchmarks.drops import SIZES, Size, write_drop
from benchmarks.explainers import ATTRIBUTION, TABLE
from benchmarks.measure import Measurement, measure
from benchmarks.outcomes import Outcome, outcome_of, violations, write_reference
from benchmarks.records import Measurements, Record
from benchmarks.targets import COLUMNS_SUFFIX, GB, ROWS_SUFFIX

HERE = Path(__file__).parent
_LONG = frozenset({"L"})  # run once: a quarter of an hour
_ONCE = frozenset({"dense-float64", "limits", ATTRIBUTION})  # the last two take medians themselves
_PEERS_OF_LARGE = frozenset({"winnow", "limits"})  # no peer would end there
_PROBLEM_TEXT = "problem: {name}\ndrops: {drops}/\nresults: {results}/\ntable: {{id: user_id, label: active}}\n"


def size_of(name: str) -> Size:
    """The size of that name: one of benchmarks.drops, one of them grown, or that of the table of `attribution`."""
    for suffix in (ROWS_SUFFIX, COLUMNS_SUFFIX):
        if name.endswith(suffix):
            start = SIZES[name.removesuffix(suffix)]
            if suffix == ROWS_SUFFIX:
                return replace(start, rows=2 * start.rows)
            return replace(start, columns=2 * start.columns, density=start.density / 2)
    return TABLE if name == ATTRIBUTION else SIZES[name]


@dataclass(frozen=True, slots=True)
class Suite:
    """One call of the benchmarks.

    Attributes:
        folder: of drops, results and raw measurements.
        measured: what is known already; grows.
        repeat: runs of everything that does not take long.
        limit_bytes: a process that grows larger is killed.
        keeps_reference: what Winnow finds becomes the reference.
    """

    folder: Path
    measured: Measurements
    repeat: int
    limit_bytes: int
    keeps_reference: bool

    def run(self, sizes: Sequence[str], contestants: Collection[str], growth: str | None) -> list[str]:
        """Measure what is missing.

        Args:
            sizes: names of drops.
            contestants: who runs on them.
            growth: the size that is doubled, if any.

        Returns:
            What Winnow found worse than its reference, in words.
        """
        found = [
            fault
            for size in sizes
            for contestant in COMMANDS
            if contestant in contestants
            and contestant != ATTRIBUTION
            and (size not in _LONG or contestant in _PEERS_OF_LARGE)
            for fault in self._repeat(size, contestant)
        ]
        for size in [growth + ROWS_SUFFIX, growth + COLUMNS_SUFFIX] if growth else []:
            self._repeat(size, "winnow")
        if ATTRIBUTION in contestants:
            self._repeat(ATTRIBUTION, ATTRIBUTION)
        return found

    def _repeat(self, size: str, contestant: str) -> list[str]:
        known, wanted = self.measured.of(size, contestant), self.repeat
        if size in _LONG or contestant in _ONCE or any(record.measurement.exit_status for record in known):
            wanted = 1
        if len(known) < wanted and contestant != ATTRIBUTION:
            self._make_drop(size)
        for number in range(len(known), wanted):
            record = self._measure(size, contestant)
            self.measured.add(record)
            _say(f"{size}, {contestant}, run {number + 1} of {wanted}: {_in_short(record.measurement)}")
            if record.measurement.exit_status:
                break  # what cannot run is not tried again
        return self._check(size) if contestant == "winnow" else []

    def _measure(self, size: str, contestant: str) -> Record:
        bench = self._bench(size)
        command, load = COMMANDS[contestant](bench), os.getloadavg()[0]
        shutil.rmtree(bench.results, ignore_errors=True)
        run = measure(command, folder=HERE.parent, limit_bytes=self.limit_bytes)
        outcome = {}
        if contestant == "winnow" and run.exit_status == 0:
            (own,) = bench.results.iterdir()
            outcome = asdict(outcome_of(own, PROBLEM, bench.size))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Record(size, contestant, now, round(load, 2), self._shown(command, size), run, outcome)

    def _bench(self, size: str) -> Bench:
        problem, results, nothing = self.folder / "problem.yaml", self.folder / "results", self.folder / "no-drops"
        nothing.mkdir(parents=True, exist_ok=True)
        problem.write_text(_PROBLEM_TEXT.format(name=PROBLEM, drops=nothing, results=results), encoding="utf-8")
        return Bench(self._drop(size), problem, results, size_of(size), self.measured.median(size, "winnow"))

    def _shown(self, command: Sequence[str], size: str) -> str:
        drop, words = str(self._drop(size)), [Path(command[0]).name, *command[1:]]
        known = {drop: f"DROP[{size}]"}
        words = [known.get(word, word.replace(str(self.folder), "FOLDER")) for word in words]
        if "--results" in words:
            words[words.index("--results") + 1] = "RESULTS"
        return " ".join(words)

    def _drop(self, size: str) -> Path:
        return self.folder / size.replace(" ", "-") / "drop"

    def _make_drop(self, name: str) -> None:
        drop, size = self._drop(name), size_of(name)
        if drop.exists():
            return
        unfinished = drop.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        writer = multiprocessing.get_context("spawn").Process(target=write_drop, args=(size, unfinished), daemon=True)
        writer.start()
        while writer.is_alive():
            sleep(1)
            _say(f"drop {name}: {len(list(unfinished.glob('*.parquet')))} parts of {size.rows:,} rows begun", end="\r")
        if writer.exitcode:
            raise RuntimeError(f"the drop {name} could not be made: its process ended with {writer.exitcode}")
        unfinished.rename(drop)

    def _check(self, size: str) -> list[str]:
        path = HERE / f"reference_{size}.json"
        outcomes = [record.outcome for record in self.measured.of(size, "winnow") if record.outcome]
        if self.keeps_reference and outcomes:
            write_reference(path, Outcome(**outcomes[-1]))
        return [f"{size}: {fault}" for outcome in outcomes for fault in violations(outcome, path)]


def _in_short(run: Measurement) -> str:
    last = "" if run.exit_status == 0 else "\n  ".join([f", exit status {run.exit_status}", *run.tail])
    return f"{run.wall_seconds:.1f} s, peak {run.peak_bytes / GB:.2f} GB{last}"


def _say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()
