"""Who runs: each contestant as a command, and what of Winnow's run the others have to know."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks.drops import Size
from benchmarks.explainers import ATTRIBUTION, BACKGROUND_ROWS, NODES
from benchmarks.measure import Measurement
from jobs.data.split import SplitPolicy
from jobs.net.training import TrainingPlan

PROBLEM = "bench"
EXPLAINED = 5000  # rows: Winnow's default
_LARGE_CELLS = 500_000_000  # above, a smaller part of pandas' correlations is measured


@dataclass(frozen=True, slots=True)
class Bench:
    """What a command is made of.

    Attributes:
        drop: folder of the drop.
        problem: the problem file.
        results: a folder for results.
        size: of the drop.
        own: Winnow's run on this drop; None before there was one.
    """

    drop: Path
    problem: Path
    results: Path
    size: Size
    own: Measurement | None


class NotYetRun(ValueError):
    """A peer trains as long as Winnow did, so Winnow has to run first."""


def passes_of(bench: Bench) -> list[float]:
    """Passes over its training rows that each of Winnow's nets really made: to its best epoch, and the patience after.

    An epoch of Winnow's is a pass, or a part of one where rows are many (TrainingPlan.epochs); the peers and the limits
    count whole passes.
    """
    stage = None if bench.own is None else bench.own.stage("train")
    if stage is None:
        raise NotYetRun("the peers train as long as Winnow's nets did: run `--only winnow` on this size first")
    plan, best = TrainingPlan(), stage.facts["best_epochs"]
    n_seen, n_valid = round(_seen_rows(bench.size)), round(bench.size.rows * SplitPolicy().valid)
    ran = [min(plan.epochs, epoch + plan.patience_epochs(n_seen, n_valid, epoch)) for epoch in best]
    return [epochs / plan.epochs_a_pass(n_seen) for epochs in ran]


def _seen_rows(size: Size) -> float:
    """Rows from which one of Winnow's nets learns."""
    policy = SplitPolicy()
    return size.rows * (1 - policy.test - policy.valid) * (policy.folds - 1) / policy.folds


def _mean_passes(bench: Bench) -> str:
    passes = passes_of(bench)
    return f"{sum(passes) / len(passes):.3g}"


def _peer(module: str, bench: Bench, *options: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", str(bench.drop), *options]


def _winnow(bench: Bench) -> list[str]:
    own = bench.results / uuid4().hex  # the same drop in the same results is the same run
    program = str(Path(sys.executable).with_name("winnow"))
    return [program, "run", str(bench.drop), "--problem", str(bench.problem), "--results", str(own), "--keep-inputs"]


def _origin(bench: Bench) -> list[str]:
    rows = "500" if bench.size.rows * bench.size.columns > _LARGE_CELLS else "2000"
    return _peer("peers.origin", bench, "--epochs", _mean_passes(bench), "--corr-rows", rows)


def _dense(bench: Bench) -> list[str]:
    return _peer("peers.dense", bench, "--epochs", _mean_passes(bench))


def _dense_float64(bench: Bench) -> list[str]:
    return [*_dense(bench), "--precision", "float64"]


def _trees(bench: Bench) -> list[str]:
    return _peer("peers.trees", bench, "--protocol", "single")


def _trees_folds(bench: Bench) -> list[str]:
    return _peer("peers.trees", bench, "--protocol", "winnow")


def _limits(bench: Bench) -> list[str]:
    policy, size = SplitPolicy(), bench.size
    points = round(min(EXPLAINED, size.rows * (1 - policy.test - policy.valid))) * BACKGROUND_ROWS * NODES
    steps = round(_seen_rows(size) * sum(passes_of(bench)))
    return _peer("limits", bench, "--row-steps", str(steps), "--points", str(points))


def _attribution(_: Bench) -> list[str]:
    return [sys.executable, "-m", "benchmarks.attribution"]


COMMANDS: Mapping[str, Callable[[Bench], list[str]]] = {
    "winnow": _winnow,
    "origin": _origin,
    "dense": _dense,
    "dense-float64": _dense_float64,
    "trees": _trees,
    "trees-folds": _trees_folds,
    "limits": _limits,
    ATTRIBUTION: _attribution,
}
NEEDS_CAPTUM = frozenset({"dense", "dense-float64", ATTRIBUTION})
