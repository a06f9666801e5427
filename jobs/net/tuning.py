"""Settings of the net by a few Optuna trials; hopeless trials are pruned after their first epochs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.scikit import area_under_roc
from jobs.data.split import Rows
from jobs.net.linear import LinearModel
from jobs.net.resnet import BodyShape
from jobs.net.training import Epoch, TrainingPlan, train_net

_OF_SHAPE = frozenset(field.name for field in fields(BodyShape))
_WHOLE = frozenset({"n_blocks", "d_block", "d_hidden_factor", "batch_size"})


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that a trial may take: whole ones if both ends are, every factor as likely as any other if `log`."""

    low: float
    high: float
    log: bool = False


Value = int | float | str
Space = Mapping[str, Range | Sequence[Value]]
DEFAULT_SPACE: Space = {"learning_rate": Range(1e-4, 1e-2, log=True), "optimizer": ("adamw", "adam", "sgd")}


@dataclass(frozen=True, slots=True)
class Trial:
    """One tried plan.

    Attributes:
        parameters: what was searched, as this plan had it.
        value: on the validation rows: AUC, or minus the loss; None if it was pruned or diverged.
    """

    parameters: Mapping[str, Value]
    value: float | None


def tune(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    linear: LinearModel,
    plan: TrainingPlan,
    *,
    trials: int,
    minutes: float,
    metric: str = "auto",
    space: Space = DEFAULT_SPACE,
    on_trial: Callable[[], None],
) -> tuple[TrainingPlan, tuple[Trial, ...]]:
    """Return the plan that is best on the validation rows, and all trials. The given plan itself is the first trial.

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels.
        train: positions of rows to learn from.
        valid: positions of rows that judge a plan.
        linear: fitted on `train`; every net stands on it.
        plan: what is not searched, and the first candidate.
        trials: how many.
        minutes: no new trial starts after this time.
        metric: "auc", "loss", or "auto": AUC of two classes, else the loss.
        space: what is searched: names of TrainingPlan and BodyShape.
        on_trial: called after each epoch of every trial; may raise to abandon the search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=plan.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3),
    )
    if (own := _own(plan, space)) is not None:
        study.enqueue_trial(own)

    def objective(trial: optuna.Trial) -> float:
        candidate = _with(plan, {name: _suggested(trial, name, among) for name, among in space.items()})

        def judge(epoch: Epoch) -> None:
            on_trial()
            trial.report(-epoch.valid_loss, epoch.number)
            if trial.should_prune():
                raise optuna.TrialPruned

        net = train_net(Z, y, train, valid, linear, candidate, judge)
        f = net.logits(Z, valid)
        if metric == "loss" or plan.task.kind != "binary":
            return -float(plan.task.losses(f, y[valid]).mean())
        return area_under_roc(y[valid], f)

    study.optimize(objective, n_trials=trials, timeout=60 * minutes, catch=(FloatingPointError,))
    tried = tuple(_trial(frozen) for frozen in study.get_trials(deepcopy=False))
    if all(trial.value is None for trial in tried):
        return plan, tried
    return _with(plan, study.best_params), tried


def _suggested(trial: optuna.Trial, name: str, among: Range | Sequence[Value]) -> Value:
    if not isinstance(among, Range):
        chosen: Any = trial.suggest_categorical(name, list(among))
        return chosen
    if float(among.low).is_integer() and float(among.high).is_integer() and name in _WHOLE:
        return trial.suggest_int(name, int(among.low), int(among.high), log=among.log)
    return trial.suggest_float(name, among.low, among.high, log=among.log)


def _own(plan: TrainingPlan, space: Space) -> dict[str, Value] | None:
    """What the given plan has of the space; None where it lies outside."""
    own = {name: getattr(plan.shape if name in _OF_SHAPE else plan, name) for name in space}
    for name, among in space.items():
        value = own[name]
        inside = among.low <= value <= among.high if isinstance(among, Range) and value is not None else None
        if not (value in among if not isinstance(among, Range) else inside):
            return None
    return own


def _with(plan: TrainingPlan, values: Mapping[str, Value]) -> TrainingPlan:
    of_shape = {name: value for name, value in values.items() if name in _OF_SHAPE}
    rest: dict[str, Any] = {name: value for name, value in values.items() if name not in _OF_SHAPE}
    return replace(plan, shape=replace(plan.shape, **of_shape), **rest)


def _trial(frozen: optuna.trial.FrozenTrial) -> Trial:
    """Of a pruned trial Optuna keeps the last reported loss as its value: that is no AUC."""
    finished = frozen.state == optuna.trial.TrialState.COMPLETE
    return Trial(dict(frozen.params), frozen.value if finished else None)
