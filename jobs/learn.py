"""From a validated dataset to everything that is known about its columns: the learning half of the story.

    split -> scaled -> kept columns -> folds of (net, held-out attributions) -> gains -> selection

Each arrow is one function of a pure room; here the nouns are only handed on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.data.correlation import CorrelatedPairs, correlated_pairs
from jobs.data.dataset import Dataset, Design
from jobs.data.design import Vocabulary, design_of, encode, fit_vocabulary, take_columns
from jobs.data.pruning import KEPT, Pruning, prune, screen_columns
from jobs.data.scaling import Scaler, fit_scaler, scale
from jobs.data.screens import leak_suspects
from jobs.data.split import Split, SplitPolicy, split_rows
from jobs.errors import LossDiverged, NoUsableColumn, TooFewRows
from jobs.net.linear import LinearModel, choose_ridge
from jobs.net.resnet import BodyShape
from jobs.net.training import TrainingPlan
from jobs.net.tuning import Trial, tune
from jobs.selection.baselines import train_lightgbm
from jobs.selection.crossfit import Ensemble, collect_evidence, cross_fit
from jobs.selection.metrics import Estimate, choose_threshold, evaluate
from jobs.selection.ranking import Selection, select_columns
from jobs.selection.summary import Summary, explain_held_out
from jobs.stages import Stages


@dataclass(frozen=True, slots=True)
class Columns:
    """What became of every column before training.

    Attributes:
        scaler: of all numeric columns.
        pruning: the verdict on all numeric columns.
        vocabularies: of all categorical columns, constant ones too.
        design: the kept columns.
        coverage: (n_numeric,) share of all rows that are non-zero.
        leaks: names of kept columns that alone separate the classes.
    """

    scaler: Scaler
    pruning: Pruning
    vocabularies: tuple[Vocabulary, ...]
    design: Design
    coverage: NDArray[np.float64]
    leaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything that a run knows when the learning is over.

    Attributes:
        split: which rows did what.
        columns: what became of them before training.
        plan: how the nets were trained, tuned or not.
        trials: of the tuning.
        strength: C of the ridge that the nets stand on.
        linear: the ridge of all training rows, a baseline.
        ensemble: the nets.
        selection: the verdict on every kept column.
        summary: attributions.
        threshold: from which probability a row counts as positive.
        metrics: side -> model -> metric.
    """

    split: Split
    columns: Columns
    plan: TrainingPlan
    trials: tuple[Trial, ...]
    strength: float
    linear: LinearModel
    ensemble: Ensemble
    selection: Selection
    summary: Summary
    threshold: float
    metrics: dict[str, dict[str, dict[str, Estimate]]]


def learn(data: Dataset, problem: Problem, threads: int, stages: Stages) -> Learned:
    """Find the columns of a dataset that carry signal about its label.

    Raises:
        TooFewRows: a side of the split, or a fold, would lack a class.
        NoUsableColumn: nothing is left after pruning.
        LossDiverged: the training loss is not a number any more.
    """
    split = _split(data, problem)
    with stages.stage("prune", len(data.names) + len(data.categorical), "columns") as facts:
        columns = prune_columns(data, split, problem)
        facts["kept"] = len(columns.design.columns)
    design, y = columns.design, data.y
    plan = training_plan(problem, float(y[split.train].mean()))
    with stages.stage("baselines", 0, "trees"):
        strength, linear = choose_ridge(design.Z, y, split.train, split.valid, plan.positive_weight)
        trees = train_lightgbm(
            design.Z,
            y,
            split.train,
            split.valid,
            seed=plan.seed,
            threads=threads,
            on_round=stages.advance,
        )
    try:
        plan, trials = _tune(design, y, split, linear, plan, problem, stages)
        with stages.stage("train", plan.epochs * len(split.folds), "epochs") as facts:
            ensemble = cross_fit(design, y, split, strength, plan, threads, lambda *_: stages.advance())
            facts["best_epochs"] = [fold.net.best_epoch for fold in ensemble.folds]
    except FloatingPointError as error:
        raise LossDiverged(f"{error}. Lower net.learning_rate in the problem file") from error
    with stages.stage("evidence", len(split.folds), "folds") as facts:
        selection = select_columns(collect_evidence(ensemble, design, y, threads, stages.advance), problem.select.q)
        facts["selected"] = int(selection.selected.sum())
    with stages.stage("explain", min(problem.explain.rows, len(split.train)), "rows"):
        summary = explain_held_out(
            ensemble,
            design,
            rows=problem.explain.rows,
            background=problem.explain.background,
            nodes=problem.explain.nodes,
            seed=plan.seed,
            threads=threads,
            on_rows=stages.advance,
        )
    logits = {
        side: {
            "net": ensemble.logits(design, rows),
            "logistic_regression": linear.logits(design.Z, rows),
            "lightgbm": trees(rows),
        }
        for side, rows in (("valid", split.valid), ("test", split.test))
    }
    threshold, metrics = judge(logits, data, split, problem)
    return Learned(split, columns, plan, trials, strength, linear, ensemble, selection, summary, threshold, metrics)


def _split(data: Dataset, problem: Problem) -> Split:
    chosen = problem.split
    policy = SplitPolicy(chosen.test, chosen.valid, chosen.by, chosen.stratify, chosen.folds, chosen.seed)
    try:
        return split_rows(data, policy)
    except ValueError as error:
        raise TooFewRows(
            f"{data.n_rows} rows, {int(data.y.sum())} of them positive, cannot be split as the problem says: {error}. "
            "Lower split.folds, enlarge split.valid and split.test, or wait for a larger drop"
        ) from error


def prune_columns(data: Dataset, split: Split, problem: Problem) -> Columns:
    """Scale all columns, and keep those that are neither constant, rare, nor a twin of a kept one. Fits on training rows."""
    scaler = fit_scaler(data.X, split.train, log1p=problem.scale.log1p)
    scaled = scale(data.X, scaler)
    status = screen_columns(scaler, len(split.train), problem.prune.min_rows)
    candidates = np.flatnonzero(status == KEPT)
    found = correlated_pairs(take_columns(scaled, candidates), split.train, problem.prune.correlation)
    pairs = CorrelatedPairs(candidates[found.left], candidates[found.right], found.r)
    pruning = prune(status, scaler.count, pairs)
    numeric = take_columns(scaled, pruning.kept)
    names = [data.names[k] for k in pruning.kept]
    vocabularies = tuple(fit_vocabulary(column, split.train, problem.prune.min_rows) for column in data.categorical)
    codes = [
        (vocabulary, encode(column, vocabulary))
        for column, vocabulary in zip(data.categorical, vocabularies, strict=True)
        if not vocabulary.is_constant
    ]
    design = design_of(numeric, names, codes)
    if not design.columns:
        raise NoUsableColumn(
            f"none of {len(data.names)} numeric and {len(data.categorical)} categorical columns is left: all are constant or "
            f"non-zero on fewer than {problem.prune.min_rows} training rows. Lower prune.min_rows, or check the drop"
        )
    coverage = np.bincount(data.X.indices, minlength=len(data.names)) / data.n_rows
    leaks = leak_suspects(numeric, data.y, split.train)
    return Columns(scaler, pruning, vocabularies, design, coverage, tuple(names[k] for k in leaks))


def training_plan(problem: Problem, positive_share: float) -> TrainingPlan:
    """The plan that a problem asks for; class weights are (negatives / positives), capped."""
    net = problem.net
    weight = 1.0
    if problem.imbalance.method == "class_weights":
        weight = min((1 - positive_share) / positive_share, problem.imbalance.cap or np.inf)
    return TrainingPlan(
        shape=BodyShape(net.n_blocks, net.d_block, net.d_hidden_factor, net.hidden_dropout, net.residual_dropout),
        epochs=net.epochs,
        patience=net.patience,
        batch_size=None if net.batch_size == "auto" else net.batch_size,
        learning_rate=net.learning_rate,
        weight_decay=net.weight_decay,
        optimizer=net.optimizer,
        code_penalty=net.code_penalty,
        positive_weight=weight,
        seed=problem.split.seed,
    )


def _tune(
    design: Design,
    y: NDArray[np.float32],
    split: Split,
    linear: LinearModel,
    plan: TrainingPlan,
    problem: Problem,
    stages: Stages,
) -> tuple[TrainingPlan, tuple[Trial, ...]]:
    if not problem.tune.trials:
        return plan, ()
    with stages.stage("tune", plan.epochs * problem.tune.trials, "epochs") as facts:
        tuned, trials = tune(
            design.Z,
            y,
            split.train,
            split.valid,
            linear,
            plan,
            trials=problem.tune.trials,
            minutes=problem.tune.minutes,
            on_trial=stages.advance,
        )
        facts |= {"learning_rate": tuned.learning_rate, "optimizer": tuned.optimizer}
    return tuned, trials


def judge(
    logits: dict[str, dict[str, NDArray[np.float64]]], data: Dataset, split: Split, problem: Problem
) -> tuple[float, dict[str, dict[str, dict[str, Estimate]]]]:
    """The net's threshold, and the metrics of every model on both sides, each at its own threshold."""
    policy = problem.threshold
    y = {"valid": data.y[split.valid], "test": data.y[split.test]}
    thresholds = {
        model: choose_threshold(f, y["valid"], policy.policy, policy.value) for model, f in logits["valid"].items()
    }
    metrics = {
        side: {model: evaluate(f, y[side], thresholds[model], problem.split.seed) for model, f in of_side.items()}
        for side, of_side in logits.items()
    }
    return thresholds["net"], metrics
