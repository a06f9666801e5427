"""From a validated dataset to everything that is known about its columns: the learning half of the story.

    split -> scaled -> kept columns -> folds of (net, held-out attributions) -> gains -> selection

Each arrow is one function of a pure room; here the nouns are only handed on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.columns import Columns, prune_columns
from jobs.data.dataset import Dataset, Design
from jobs.data.design import bend_numbers
from jobs.data.factor import common_factor
from jobs.data.resampling import NoSampler
from jobs.data.split import FEW_ROWS, Rows, Split, SplitPolicy, UnfitColumn, automatic_share, split_rows
from jobs.data.target import Target, fit_target
from jobs.errors import LossDiverged, TooFewRows, TrainingFailed, UnsupportedColumn
from jobs.fitting import fit_linear, train_models, tune_plan
from jobs.journal import FORGETFUL, Journal
from jobs.judging import NET, Judgement, Logits, judge, linear_name
from jobs.net.linear import LinearModel
from jobs.net.tasks import Task
from jobs.net.training import TrainingPlan
from jobs.net.tuning import Trials
from jobs.planning import suit_curves, training_plan
from jobs.selection.baselines import Trees
from jobs.selection.calibration import calibrate
from jobs.selection.crossfit import Ensemble, collect_evidence, label_to_test, testable_classes, tested_outputs
from jobs.selection.positions import Positions, explain_positions
from jobs.selection.ranking import Selection, Testimony, hear, select_columns
from jobs.selection.recommendation import Ranked, Wanted, judged_rows, rank_items
from jobs.selection.summary import Summary, explain_held_out, explained_rows
from jobs.stages import Stages


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything that a run knows when the learning is over.

    Attributes:
        data: what was learned from; of its numbers those of the explained rows (Dataset.with_numbers_of).
        task: what the label is.
        target: how a label that is a number became what is learned.
        split: which rows did what.
        columns: what became of them before training.
        plan: how the nets were trained, tuned or not.
        trials: of the tuning.
        strengths: C of each round of the ridge that the nets stand on.
        linear: the ridge of all training rows, a baseline.
        ensemble: the nets.
        selection: the verdict on every kept column.
        summary: attributions.
        positions: attributions by place, of columns of sequences whose order is read.
        judgement: how good the nets and what they are measured against are.
        ranked: how well they rank items, where the problem has any.
        is_withheld: no column is called selected, since the nets spoil what linear models say (judging.py).
    """

    data: Dataset
    task: Task
    target: Target
    split: Split
    columns: Columns
    plan: TrainingPlan
    trials: Trials
    strengths: tuple[float, ...]
    linear: LinearModel
    ensemble: Ensemble
    selection: Selection
    summary: Summary
    positions: list[Positions]
    judgement: Judgement
    ranked: Ranked | None
    is_withheld: bool


def learn(data: Dataset, problem: Problem, threads: int, stages: Stages, journal: Journal = FORGETFUL) -> Learned:
    """Find the columns of a dataset that carry signal about its label.

    Args:
        data: what a drop said. Its numbers are let go once they are scaled, if nobody else holds them.
        problem: what is asked of it.
        threads: cores that may be used.
        stages: told of every step.
        journal: remembers the trials of an unfinished search.

    Raises:
        UnsupportedColumn: the column that should split the rows cannot.
        TooFewRows: a side of the split, or a fold, would lack a class.
        NoUsableColumn: nothing is left after pruning.
        LossDiverged: the training loss is not a number any more.
    """
    split = _split(data, problem)
    _require_testable(data, split)
    columns = _choose_columns(data, split, problem, stages)
    task = Task(problem.task, max(2, len(data.classes)))
    explained = explained_rows(split, problem.explain.rows // task.n_outputs, problem.split.seed)
    data = data.with_numbers_of(np.sort(np.concatenate(explained)))  # the rest is let go: `columns` has it scaled
    target = _fit_target(data, split, problem)
    y = target.of_label(data.label)
    plan = training_plan(problem, task, data.y[split.train], columns.design.columns)
    try:
        columns, strengths, linear = fit_linear(columns, y, split, plan, stages)
        plan = suit_curves(plan, problem) if columns.is_curved else plan
        design = columns.design
        plan, trials = tune_plan(columns, y, split, linear, plan, problem, stages, journal)
        ensemble, trees = train_models(columns, y, split, strengths, plan, threads, stages)
    except NoSampler as error:
        raise TrainingFailed(str(error)) from error
    except FloatingPointError as error:
        raise LossDiverged(f"{error}. Lower net.learning_rate in the problem file") from error
    selection = _select(ensemble, trees, columns, y, split, problem, threads, stages)
    summary = _explain(ensemble, explained, problem, threads, stages)
    logits, own = _logits(design, y, split, ensemble, linear, trees)
    judgement = judge(logits, own, data, split, target, problem, task)
    return Learned(
        data=data,
        task=task,
        target=target,
        split=split,
        columns=columns,
        plan=plan,
        trials=trials,
        strengths=strengths,
        linear=linear,
        ensemble=ensemble,
        selection=selection,
        summary=summary,
        positions=_explain_positions(ensemble, columns, explained, problem, threads, stages),
        judgement=judgement,
        ranked=_rank(data, design, split, ensemble, linear, problem, threads, stages),
        is_withheld=judgement.is_spoilt and not problem.select.with_worse_net,
    )


def _split(data: Dataset, problem: Problem) -> Split:
    chosen = problem.split
    test, valid = (automatic_share(data.n_rows) if share == "auto" else share for share in (chosen.test, chosen.valid))
    policy = SplitPolicy(test, valid, chosen.by, chosen.stratify, chosen.folds, chosen.seed)
    try:
        return split_rows(data, policy)
    except UnfitColumn as error:
        raise UnsupportedColumn(str(error)) from error
    except ValueError as error:
        positive = f", {int(data.y.sum())} of them positive," if len(data.classes) == 2 else ""
        raise TooFewRows(
            f"{data.n_rows} rows{positive} cannot be split as the problem says: {error}. "
            "Lower split.folds, enlarge split.valid and split.test, or wait for a larger drop"
        ) from error


def _require_testable(data: Dataset, split: Split) -> None:
    """Refuse several classes of which none has rows enough for a column to be tested on it."""
    if len(data.classes) > 2 and not testable_classes(data.y[split.known], len(data.classes)):
        raise TooFewRows(
            f"none of {len(data.classes)} classes has {FEW_ROWS} rows outside the {len(split.test)} test rows. "
            "Put rare classes together, or wait for a larger drop"
        )


def _choose_columns(data: Dataset, split: Split, problem: Problem, stages: Stages) -> Columns:
    with stages.stage("prune", len(data.names), "columns") as facts:
        columns = prune_columns(data, split, problem, stages.advance)
        facts["kept"] = len(columns.design.columns)
    return columns


def _fit_target(data: Dataset, split: Split, problem: Problem) -> Target:
    """A label of classes is learned as it is."""
    if problem.task != "regression":
        return Target()
    return fit_target(data.label, split.train, log1p=problem.target.transform == "log1p")


def _select(
    ensemble: Ensemble,
    trees: Trees,
    columns: Columns,
    y: NDArray[np.float32],
    split: Split,
    problem: Problem,
    threads: int,
    stages: Stages,
) -> Selection:
    outputs, plain = tested_outputs(ensemble, y), columns.plain
    with stages.stage("evidence", len(ensemble.folds) * len(outputs), "folds") as facts:
        heard: list[Testimony] = []
        tested, factor = bend_numbers(plain, columns.bends), common_factor(plain, split.known)
        for output in outputs:
            label = label_to_test(ensemble, y, output)
            evidence = collect_evidence(ensemble, tested, label, y, threads, stages.advance, output, factor)
            heard.append(hear(evidence, plain, tested, label, split.clusters, factor, split.periods))
        of_trees = np.add.reduceat(trees.gain(), plain.starts[:-1])
        selection = select_columns(heard, of_trees, problem.select.q, plain, split.train)
        facts["common_factor"] = factor is not None
        facts["selected"] = int(selection.selected.sum())
    return selection


def _explain(ensemble: Ensemble, explained: Sequence[Rows], problem: Problem, threads: int, stages: Stages) -> Summary:
    chosen, n_outputs = problem.explain, ensemble.task.n_outputs
    with stages.stage("explain", n_outputs * sum(map(len, explained)), "rows"):
        return explain_held_out(
            ensemble,
            explained,
            background=chosen.background,
            nodes=chosen.nodes,
            seed=problem.split.seed,
            threads=threads,
            on_rows=stages.advance,
        )


def _explain_positions(
    ensemble: Ensemble, columns: Columns, explained: Sequence[Rows], problem: Problem, threads: int, stages: Stages
) -> list[Positions]:
    if not columns.ordered:
        return []
    with stages.stage("positions", len(ensemble.folds), "folds"):
        return explain_positions(
            ensemble,
            columns.ordered,
            explained,
            nodes=problem.explain.nodes,
            threads=threads,
            on_fold=stages.advance,
        )


def _logits(
    design: Design, y: NDArray[np.float32], split: Split, ensemble: Ensemble, linear: LinearModel, trees: Trees
) -> tuple[Logits, NDArray[np.float64]]:
    """What all models say of rows that trained none, and of test rows those that the nets stand on; calibrated."""
    sides = {"valid": split.valid, "test": split.test}

    def calibrated(says: Callable[[Rows], NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        said = {side: says(rows) for side, rows in sides.items()}
        own = calibrate(said["valid"], y[split.valid], ensemble.task)
        return {side: own.apply(f) for side, f in said.items()}

    models = {
        NET: {side: ensemble.logits(rows) for side, rows in sides.items()},
        linear_name(ensemble.task): calibrated(partial(linear.logits, design.Z)),
        "lightgbm": calibrated(trees.logits),
    }
    by_side = {side: {name: said[side] for name, said in models.items()} for side in sides}
    return by_side, calibrated(ensemble.linear_logits)["test"]


def _rank(
    data: Dataset,
    design: Design,
    split: Split,
    ensemble: Ensemble,
    linear: LinearModel,
    problem: Problem,
    threads: int,
    stages: Stages,
) -> Ranked | None:
    """Rank items for those who wanted one on a test row, if the problem has items: a label above zero says so."""
    if problem.rank is None:
        return None
    asked, columns = problem.rank, {column.name: column for column in data.categorical}
    wanted = Wanted(columns[asked.by], columns[asked.items[0]], asked.items, data.label > 0)
    with stages.stage("rank", len(ensemble.folds) * judged_rows(wanted, split.test), "rows"):
        return rank_items(
            wanted,
            design,
            ensemble,
            linear,
            known=split.known,
            test=split.test,
            at=asked.at,
            seed=problem.split.seed,
            threads=threads,
            on_rows=stages.advance,
        )
