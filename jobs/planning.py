"""How the nets are to be trained, and what is searched, as the problem file says."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from config import Problem
from config.sections import RangeSettings, TunedName
from jobs.data.resampling import multiplied
from jobs.data.split import FEW_ROWS
from jobs.net.encoders import EncoderShape
from jobs.net.resnet import BodyShape
from jobs.net.tasks import Task
from jobs.net.training import TrainingPlan
from jobs.net.tuning import Range, Space

_PENALTY, _CURVED_PENALTY = 3.0, 1.0  # docs/method.md 7


def training_plan(problem: Problem, task: Task, y: NDArray[np.float32], columns: Collection[str] = ()) -> TrainingPlan:
    """The plan that a problem asks for, with the class weights that the labels `y` of the training rows give.

    Of two classes the positive one weighs negatives / positives, capped, and the other 1; of several each weighs
    rows / (classes x its rows), capped; a class of fewer than FEW_ROWS rows weighs as if it had so many. Of the columns
    that are to be factorised those count that are among the kept `columns`, if at least two are.
    """
    net, weights, counts = problem.net, tuple[float, ...](), np.zeros(0, np.int64)
    factorise = tuple(name for name in net.factorise if name in columns)
    factorise = factorise if len(factorise) > 1 else ()
    if task.kind != "regression":
        counts = np.bincount(y.astype(np.int64), minlength=task.n_classes)
    if problem.imbalance.method == "class_weights":
        counts = np.maximum(counts, FEW_ROWS)
        raw = counts[0] / counts if task.kind == "binary" else len(y) / (task.n_classes * counts)
        weights = tuple(float(weight) for weight in np.minimum(raw, problem.imbalance.cap or np.inf))
        weights = (1.0, *weights[1:]) if task.kind == "binary" else weights
    return TrainingPlan(
        shape=BodyShape(
            net.n_blocks,
            net.d_block,
            net.d_hidden_factor,
            net.hidden_dropout,
            net.residual_dropout,
            net.n_factors,
            len(factorise),
        ),
        epochs=net.epochs,
        patience=None if net.patience == "auto" else net.patience,
        batch_size=None if net.batch_size == "auto" else net.batch_size,
        learning_rate=net.learning_rate,
        weight_decay=net.weight_decay,
        optimizer=net.optimizer,
        code_penalty=_PENALTY if net.code_penalty == "auto" else net.code_penalty,
        class_weights=weights,
        judged_by=weights or multiplied(counts, problem.imbalance.method),
        resampling=problem.imbalance.method,
        task=task,
        encoders=_encoders(problem, columns),
        factorise=factorise,
        seed=problem.split.seed,
    )


def suit_curves(plan: TrainingPlan, problem: Problem) -> TrainingPlan:
    """The plan for columns that have curves: few, dense, and each of many codes, so the lasso may be weaker."""
    return replace(plan, code_penalty=_CURVED_PENALTY) if problem.net.code_penalty == "auto" else plan


def _encoders(problem: Problem, columns: Collection[str]) -> dict[str, EncoderShape]:
    """The encoders of the kept columns of sequences that have one."""
    found: dict[str, EncoderShape] = {}
    for name, asked in sorted(problem.table.sequences.items()):
        if asked.encoder != "mean" and name in columns:
            found[name] = EncoderShape(asked.encoder, asked.d_item, asked.d_hidden, asked.n_layers, asked.dropout)
    return found


def space_of(declared: Mapping[TunedName, tuple[int | float | str, ...] | RangeSettings]) -> Space:
    """Return the space of a search."""
    return {
        name: Range(among.low, among.high, among.log) if isinstance(among, RangeSettings) else among
        for name, among in declared.items()
    }
