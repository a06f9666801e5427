"""Stages: what the observer hears, what is kept, and that abandoning is never swallowed."""

import weakref
from collections.abc import Callable
from threading import Lock
from time import monotonic

import numpy as np
import pytest

from jobs.errors import Abandoned
from jobs.learn import learn
from jobs.observer import Silent
from jobs.stages import Stages
from tests.jobs.tables import counts, dataset_of, draw_labels, problem_of


class Recording(Silent):
    """An observer that remembers, and abandons the job at one stage.

    Args:
        abandon_in: the stage whose first step is too many; "" for none.
    """

    def __init__(self, abandon_in: str = "") -> None:
        self.heard: list[tuple[str, object]] = []
        self.steps: dict[str, int] = {}
        self.totals: dict[str, int] = {}
        self._stage, self._abandon_in, self._lock = "", abandon_in, Lock()

    def stage_started(self, stage: str, total: int, unit: str) -> None:  # noqa: ARG002
        """Remember it."""
        self._stage, self.totals[stage] = stage, total
        self.heard.append(("started", stage))

    def advanced(self, steps: int) -> None:
        """Count, and abandon where that was asked for."""
        with self._lock:
            self.steps[self._stage] = self.steps.get(self._stage, 0) + steps
        if self._stage == self._abandon_in:
            raise Abandoned(f"in {self._stage}")

    def stage_finished(self, stage: str, seconds: float, facts: dict[str, object]) -> None:  # noqa: ARG002
        """Remember it with its facts."""
        self.heard.append(("finished", (stage, facts)))


THREADS = 2  # each may be in a step when another is one too many, and begin one more before the job hears of it
STAGES = ["prune", "linear", "tune", "train", "evidence", "explain"]


def small() -> tuple:
    X = counts(1, 400, 10, (0.1, 0.5))
    return dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 2)), problem_of(
        explain={"rows": 100}, net={"d_block": 8, "epochs": 3, "patience": 3}, tune={"trials": 2}
    )


def test_every_stage_is_told_with_its_steps_and_kept_with_its_seconds() -> None:
    observer = Recording()
    stages = Stages(observer)
    learned = learn(*small(), THREADS, stages)
    assert [stage for kind, stage in observer.heard if kind == "started"] == STAGES
    assert list(stages.seconds) == list(stages.peak_bytes) == STAGES
    assert min(stages.peak_bytes.values()) > 10 << 20
    epochs = sum(len(fold.net.history) - 1 for fold in learned.ensemble.folds)
    assert observer.steps["train"] == epochs <= observer.totals["train"]
    assert observer.steps["evidence"] == observer.totals["evidence"] == 3
    assert observer.steps["explain"] == observer.totals["explain"] == learned.summary.n_rows
    facts = dict(stage for kind, stage in observer.heard if kind == "finished")
    assert facts["prune"] == {"kept": len(learned.columns.design.columns)}
    assert facts["evidence"] == {"common_factor": False, "selected": int(learned.selection.selected.sum())}


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_job_abandoned_in_any_stage_ends_there_and_says_so(stage: str) -> None:
    observer = Recording(stage)
    begun = monotonic()
    with pytest.raises(Abandoned, match=f"^in {stage}$"):
        learn(*small(), THREADS, Stages(observer))
    assert monotonic() - begun < 10
    assert observer.heard[-1] == ("started", stage)
    assert observer.steps[stage] <= (100 if stage == "explain" else 2 * THREADS)


class Looking(Silent):
    """An observer that looks whether something is still there when a stage begins."""

    def __init__(self, alive: Callable[[], object]) -> None:
        self.alive, self.stages = alive, dict[str, bool]()

    def stage_started(self, stage: str, total: int, unit: str) -> None:  # noqa: ARG002
        """Look."""
        self.stages[stage] = self.alive() is not None


def test_the_table_as_it_was_read_is_let_go_before_nets_are_trained() -> None:
    (data, problem), held = small(), [small()[0]]
    observer = Looking(weakref.ref(held[0].X.data))
    learned = learn(held.pop(), problem, THREADS, Stages(observer))
    assert observer.stages == {stage: stage == "prune" for stage in STAGES}
    explained = np.unique(learned.summary.entries.row)
    assert 0 < len(explained) < data.n_rows
    assert np.array_equal(learned.data.X[explained].toarray(), data.X[explained].toarray())
    assert set(np.flatnonzero(np.diff(learned.data.X.indptr))) <= set(explained)


def test_a_stage_that_fails_is_not_told_as_finished() -> None:
    observer = Recording()
    stages = Stages(observer)
    with pytest.raises(ValueError, match="broken"), stages.stage("read", 1, "rows"):
        raise ValueError("broken")
    assert observer.heard == [("started", "read")]
    assert stages.seconds == {}


def test_facts_are_told_when_the_stage_ends() -> None:
    observer = Recording()
    stages = Stages(observer)
    with stages.stage("read", 7, "rows") as facts:
        stages.advance(3)
        stages.advance()
        facts["rows"] = 4
    assert observer.heard == [("started", "read"), ("finished", ("read", {"rows": 4}))]
    assert observer.steps == {"read": 4}
    assert np.isfinite(stages.seconds["read"])
