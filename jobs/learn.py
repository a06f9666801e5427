"""From a validated dataset to everything that is known about its columns: the learning half of the story.

    split -> scaled -> kept columns -> folds of (net, held-out attributions) -> gains -> selection

Each arrow is one function of a pure room; here the nouns are only handed on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.columns import Columns, prune_columns
from jobs.data.dataset import Dataset, Design
from jobs.data.resampling import NoSampler, resample
from jobs.data.split import Split, SplitPolicy, UnfitColumn, automatic_share, split_rows
from jobs.data.target import Target, fit_target
from jobs.errors import LossDiverged, TooFewRows, TrainingFailed, UnsupportedColumn
from jobs.journal import FORGETFUL, Journal
from jobs.judging import NET, Judgement, Logits, judge, linear_name
from jobs.net.linear import STRENGTHS, LinearModel, choose_ridge
from jobs.net.tasks import Task
from jobs.net.threads import side_by_side
from jobs.net.training import TrainingPlan
from jobs.net.tuning import Trials, tune
from jobs.planning import space_of, training_plan
from jobs.selection.baselines import Trees, train_lightgbm
from jobs.selection.crossfit import LEAST_ROWS, Ensemble, collect_evidence, cross_fit, testable_classes, tested_outputs
from jobs.selection.ranking import Selection, Testimony, hear, select_columns
from jobs.selection.recommendation import Ranked, Wanted, judged_rows, rank_items
from jobs.selection.summary import Summary, explain_held_out
from jobs.stages import Stages


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything that a run knows when the learning is over.

    Attributes:
        task: what the label is.
        target: how a label that is a number became what is learned.
        split: which rows did what.
        columns: what became of them before training.
        plan: how the nets were trained, tuned or not.
        trials: of the tuning.
        strength: C of the ridge that the nets stand on.
        linear: the ridge of all training rows, a baseline.
        ensemble: the nets.
        selection: the verdict on every kept column.
        summary: attributions.
        judgement: how good the nets and what they are measured against are.
        ranked: how well they rank items, where the problem has any.
        is_withheld: no column is called selected, since the nets are behind by more than the interval of the lead.
    """

    task: Task
    target: Target
    split: Split
    columns: Columns
    plan: TrainingPlan
    trials: Trials
    strength: float
    linear: LinearModel
    ensemble: Ensemble
    selection: Selection
    summary: Summary
    judgement: Judgement
    ranked: Ranked | None
    is_withheld: bool


def learn(data: Dataset, problem: Problem, threads: int, stages: Stages, journal: Journal = FORGETFUL) -> Learned:
    """Find the columns of a dataset that carry signal about its label.

    Args:
        data: what a drop said.
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
    design, plain, task = columns.design, columns.plain, Task(problem.task, max(2, len(data.classes)))
    target = _fit_target(data, split, problem)
    y = target.of_label(data.label)
    plan = training_plan(problem, task, data.y[split.train], design.columns)
    try:
        strength, linear = _fit_linear(design, y, split, plan, stages)
        plan, trials = _tune(design, y, split, linear, plan, problem, stages, journal)
        ensemble, trees = _train(design, plain, y, split, strength, plan, threads, stages)
    except NoSampler as error:
        raise TrainingFailed(str(error)) from error
    except FloatingPointError as error:
        raise LossDiverged(f"{error}. Lower net.learning_rate in the problem file") from error
    selection = _select(ensemble, design, plain, y, problem, threads, stages)
    summary = _explain(ensemble, design, split, problem, threads, stages)
    logits = _logits(design, split, ensemble, linear, trees)
    judgement = judge(logits, data, split, target, problem, task)
    return Learned(
        task=task,
        target=target,
        split=split,
        columns=columns,
        plan=plan,
        trials=trials,
        strength=strength,
        linear=linear,
        ensemble=ensemble,
        selection=selection,
        summary=summary,
        judgement=judgement,
        ranked=_rank(data, design, split, ensemble, linear, problem, threads, stages),
        is_withheld=judgement.lead.high < 0 and not problem.select.with_worse_net,
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
    if len(data.classes) > 2 and not testable_classes(data.y[split.train], len(data.classes)):
        raise TooFewRows(
            f"none of {len(data.classes)} classes has {LEAST_ROWS} training rows ({len(split.train)} rows in all). "
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


def _fit_linear(
    design: Design, y: NDArray[np.float32], split: Split, plan: TrainingPlan, stages: Stages
) -> tuple[float, LinearModel]:
    with stages.stage("linear", len(STRENGTHS), "models") as facts:
        Z, label, rows = resample(design.Z, y, split.train, plan.resampling, plan.seed)
        strength, linear = choose_ridge(
            Z, label, rows, split.valid, plan.class_weights, on_model=stages.advance, task=plan.task
        )
        facts["strength"] = strength
    return strength, linear


def _tune(
    design: Design,
    y: NDArray[np.float32],
    split: Split,
    linear: LinearModel,
    plan: TrainingPlan,
    problem: Problem,
    stages: Stages,
    journal: Journal,
) -> tuple[TrainingPlan, Trials]:
    if not problem.tune.trials:
        return plan, ()
    with stages.stage("tune", plan.epochs * problem.tune.trials, "epochs") as facts:
        Z, label, train = resample(design.Z, y, split.train, plan.resampling, plan.seed)
        valid, search = split.valid, problem.tune

        def searched(start: TrainingPlan) -> tuple[TrainingPlan, Trials]:
            return tune(
                Z,
                label,
                train,
                valid,
                linear,
                start,
                trials=search.trials,
                minutes=search.minutes,
                metric=search.metric,
                space=space_of(search.space),
                factored=design.codes_of(plan.factorise),
                ended=journal.read(),
                on_epoch=stages.advance,
                on_trial=journal.write,
            )

        ((tuned, trials),) = side_by_side(searched, [plan], threads=1)  # as every net is trained: on one thread
        facts |= {"learning_rate": tuned.learning_rate, "optimizer": tuned.optimizer}
    return tuned, trials


def _train(
    design: Design,
    plain: Design,
    y: NDArray[np.float32],
    split: Split,
    strength: float,
    plan: TrainingPlan,
    threads: int,
    stages: Stages,
) -> tuple[Ensemble, Trees]:
    """Train the nets side by side, then the trees that they are measured against on all threads."""
    with stages.stage("train", plan.epochs * len(split.folds), "epochs") as facts:
        ensemble = cross_fit(design, plain, y, split, strength, plan, threads, lambda _fold, _epoch: stages.advance())
        facts["best_epochs"] = [fold.net.best_epoch for fold in ensemble.folds]
        Z, label, rows = resample(plain.Z, y, split.train, plan.resampling, plan.seed)
        trees = train_lightgbm(
            Z,
            label,
            rows,
            split.valid,
            seed=plan.seed,
            threads=threads,
            on_round=lambda: stages.advance(0),
            task=plan.task,
        )
    return ensemble, trees


def _select(
    ensemble: Ensemble,
    design: Design,
    plain: Design,
    y: NDArray[np.float32],
    problem: Problem,
    threads: int,
    stages: Stages,
) -> Selection:
    outputs = tested_outputs(ensemble, y)
    with stages.stage("evidence", len(ensemble.folds) * len(outputs), "folds") as facts:
        heard: list[Testimony] = []
        for output in outputs:
            evidence = collect_evidence(ensemble, design, y, threads, stages.advance, output)
            heard.append(hear(evidence, plain, ensemble.task.one_label(y, output)))
        selection = select_columns(heard, problem.select.q)
        facts["selected"] = int(selection.selected.sum())
    return selection


def _explain(
    ensemble: Ensemble, design: Design, split: Split, problem: Problem, threads: int, stages: Stages
) -> Summary:
    chosen = problem.explain
    with stages.stage("explain", min(chosen.rows, len(split.train)), "rows"):
        return explain_held_out(
            ensemble,
            design,
            rows=chosen.rows,
            background=chosen.background,
            nodes=chosen.nodes,
            seed=problem.split.seed,
            threads=threads,
            on_rows=stages.advance,
        )


def _logits(design: Design, split: Split, ensemble: Ensemble, linear: LinearModel, trees: Trees) -> Logits:
    """What every model says of the rows that trained none of them."""
    return {
        side: {
            NET: ensemble.logits(design, rows),
            linear_name(ensemble.task): linear.logits(design.Z, rows),
            "lightgbm": trees(rows),
        }
        for side, rows in (("valid", split.valid), ("test", split.test))
    }


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
            known=np.sort(np.concatenate([split.train, split.valid])),
            test=split.test,
            at=asked.at,
            seed=problem.split.seed,
            threads=threads,
            on_rows=stages.advance,
        )
