"""Who runs: each contestant as a command, and what of Winnow's run the others have to know."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks.drops import Size
from benchmarks.measure import Measurement
from jobs.data.split import SplitPolicy
from jobs.net.training import TrainingPlan

PROBLEM = "bench"
EXPLAINED, _BACKGROUND, _NODES = 5000, 64, 4  # Winnow's defaults
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


def epochs_of(bench: Bench) -> list[int]:
    """Epochs that each of Winnow's nets really ran: to its best one, and the patience after it."""
    stage = None if bench.own is None else bench.own.stage("train")
    if stage is None:
        raise NotYetRun("the peers train as many epochs as Winnow's nets did: run `--only winnow` on this size first")
    plan, best = TrainingPlan(), stage.facts["best_epochs"]
    patience = plan.patience_epochs(round(bench.size.rows * SplitPolicy().valid))
    return [min(plan.epochs, epoch + patience) for epoch in best]


def _mean_epochs(bench: Bench) -> str:
    epochs = epochs_of(bench)
    return f"{sum(epochs) / len(epochs):.3g}"


def _peer(module: str, bench: Bench, *options: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", str(bench.drop), *options]


def _winnow(bench: Bench) -> list[str]:
    own = bench.results / uuid4().hex  # the same drop in the same results is the same run
    program = str(Path(sys.executable).with_name("winnow"))
    return [program, "run", str(bench.drop), "--problem", str(bench.problem), "--results", str(own), "--keep-inputs"]


def _origin(bench: Bench) -> list[str]:
    rows = "500" if bench.size.rows * bench.size.columns > _LARGE_CELLS else "2000"
    return _peer("peers.origin", bench, "--epochs", _mean_epochs(bench), "--corr-rows", rows)


def _dense(bench: Bench) -> list[str]:
    return _peer("peers.dense", bench, "--epochs", _mean_epochs(bench))


def _trees(bench: Bench) -> list[str]:
    return _peer("peers.trees", bench, "--protocol", "single")


def _trees_folds(bench: Bench) -> list[str]:
    return _peer("peers.trees", bench, "--protocol", "winnow")


def _limits(bench: Bench) -> list[str]:
    policy, n = SplitPolicy(), bench.size.rows
    n_train = n * (1 - policy.test - policy.valid)
    n_seen = n_train * (policy.folds - 1) / policy.folds
    points = round(min(EXPLAINED, n_train)) * _BACKGROUND * _NODES
    steps = round(n_seen * sum(epochs_of(bench)))
    return _peer("limits", bench, "--row-steps", str(steps), "--points", str(points))


COMMANDS: Mapping[str, Callable[[Bench], list[str]]] = {
    "winnow": _winnow,
    "origin": _origin,
    "dense": _dense,
    "trees": _trees,
    "trees-folds": _trees_folds,
    "limits": _limits,
}
