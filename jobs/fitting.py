"""Fits every model of a run: the ridge, the plan that a search finds, the nets, the trees they are measured against."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.columns import Columns
from jobs.data.resampling import resample
from jobs.data.split import Split
from jobs.journal import Journal
from jobs.net.linear import ROUNDS, STRENGTHS, LinearModel, choose_adaptive_ridge
from jobs.net.threads import side_by_side
from jobs.net.training import TrainingPlan
from jobs.net.tuning import Trials, tune
from jobs.planning import space_of
from jobs.selection.baselines import Trees, boost
from jobs.selection.crossfit import Ensemble, awake_codes, cross_fit
from jobs.stages import Stages


def fit_linear(
    columns: Columns, y: NDArray[np.float32], split: Split, plan: TrainingPlan, stages: Stages
) -> tuple[Columns, tuple[float, ...], LinearModel]:
    """Fit ridges on the training rows, and keep curves only if the best ridge with them is better on validation rows.

    Returns:
        The columns, with or without curves; the strengths of the rounds of their best ridge; and this ridge.
    """

    def fitted(columns: Columns) -> tuple[float, Columns, tuple[float, ...], LinearModel]:
        Z, label, rows = resample(columns.design.Z, y, split.train, plan.resampling, plan.seed)
        strengths, loss, ridge = choose_adaptive_ridge(
            Z, label, rows, split.valid, plan.class_weights, plan.judged_by, stages.advance, plan.task
        )
        return loss, columns, strengths, ridge

    candidates = [columns.without_curves(), columns] if columns.is_curved else [columns]
    with stages.stage("linear", ROUNDS * len(STRENGTHS) * len(candidates), "models") as facts:
        _, chosen, strengths, linear = min(map(fitted, candidates), key=itemgetter(0))
        facts |= {"strengths": list(strengths), "is_curved": chosen.is_curved}
    return chosen, strengths, linear


def tune_plan(
    columns: Columns,
    y: NDArray[np.float32],
    split: Split,
    linear: LinearModel,
    plan: TrainingPlan,
    problem: Problem,
    stages: Stages,
    journal: Journal,
) -> tuple[TrainingPlan, Trials]:
    """Search for a better plan, if the problem asks for it; `journal` knows the trials of an unfinished search."""
    if not problem.tune.trials:
        return plan, ()
    with stages.stage("tune", plan.epochs * problem.tune.trials, "epochs") as facts:
        design, valid, search = columns.design, split.valid, problem.tune
        Z, label, train = resample(design.Z, y, split.train, plan.resampling, plan.seed)
        awake = awake_codes(design, columns.plain, y, split.train, linear, plan.task)

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
                awake=awake,
                factored=design.codes_of(plan.factorise),
                ended=journal.read(),
                on_epoch=stages.advance,
                on_trial=journal.write,
            )

        ((tuned, trials),) = side_by_side(searched, [plan], threads=1)  # as every net is trained: on one thread
        facts |= {"learning_rate": tuned.learning_rate, "optimizer": tuned.optimizer}
    return tuned, trials


def train_models(
    columns: Columns,
    y: NDArray[np.float32],
    split: Split,
    strengths: Sequence[float],
    plan: TrainingPlan,
    threads: int,
    stages: Stages,
) -> tuple[Ensemble, Trees]:
    """Train the nets side by side, then the trees that they are measured against on all threads."""
    design, plain, ordered = columns.design, columns.plain, columns.ordered
    with stages.stage("train", plan.epochs * len(split.folds) * (1 + len(ordered)), "epochs") as facts:
        ensemble = cross_fit(design, plain, y, split, strengths, plan, threads, lambda _: stages.advance(), ordered)
        facts["best_epochs"] = [fold.net.best_epoch for fold in ensemble.folds]
        Z, label, rows = resample(plain.Z, y, split.train, plan.resampling, plan.seed)
        trees = boost(
            Z,
            label,
            rows,
            split.valid,
            seed=plan.seed,
            threads=threads,
            on_round=lambda: stages.advance(0),
            task=plan.task,
            judged_by=() if plan.class_weights else plan.judged_by,  # trees learn without class weights
        )
    return ensemble, trees
