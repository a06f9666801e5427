"""Settings of the net by a few Optuna trials; hopeless trials are pruned after their first epochs.

A search that was broken off goes on with the trials that it had ended. Each trial draws from a seed of its own, so what
it tries depends on the trials before it alone, and a resumed search is the one that was never broken off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from scipy.sparse import csr_array

from jobs.data.scikit import area_under_roc
from jobs.data.split import Rows
from jobs.net.codes import NO_CODES
from jobs.net.linear import LinearModel
from jobs.net.resnet import BodyShape
from jobs.net.training import Epoch, TrainingPlan, train_net

_OF_SHAPE = frozenset(field.name for field in fields(BodyShape))
_WHOLE = frozenset({"n_blocks", "d_block", "d_hidden_factor", "batch_size", "n_factors"})


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
        value: on the validation rows: AUC, or minus the loss; None if it was pruned or failed.
        state: how it ended: pruned as hopeless, failed when its loss was not a number any more, or complete.
        losses: on the validation rows after each epoch, nats.
        seconds: that it took.
    """

    parameters: Mapping[str, Value]
    value: float | None
    state: Literal["complete", "pruned", "failed"]
    losses: tuple[float, ...]
    seconds: float


Trials = tuple[Trial, ...]


def tune(
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    valid: Rows,
    linear: LinearModel,
    plan: TrainingPlan,
    *,
    trials: int,
    minutes: float,
    metric: str = "auto",
    space: Space = DEFAULT_SPACE,
    awake: NDArray[np.int64] = NO_CODES,
    factored: Sequence[NDArray[np.int64]] = (),
    ended: Trials = (),
    on_epoch: Callable[[], None],
    on_trial: Callable[[Trials], object] = len,
) -> tuple[TrainingPlan, Trials]:
    """Return the plan that is best on the validation rows, and all trials. The given plan itself is the first trial.

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels.
        rows: positions of rows to learn from.
        valid: positions of rows that judge a plan.
        linear: fitted on `rows`; every net stands on it.
        plan: what is not searched, and the first candidate.
        trials: how many.
        minutes: no new trial starts when the trials have taken so long.
        metric: "auc", "loss", or "auto": AUC of two classes, else the loss.
        space: what is searched: names of TrainingPlan and BodyShape.
        awake: codes that are known to act together with others.
        factored: the codes of each column of the factorisation term.
        ended: trials of an earlier, unfinished search of the same kind; they count, and are not repeated.
        on_epoch: called after each epoch of every trial; may raise to abandon the search.
        on_trial: called with all ended trials, whenever another one has ended; may raise too.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3)
    )
    study.add_trials([_frozen(trial, space) for trial in ended])
    if not ended and (own := _own(plan, space)) is not None:
        study.enqueue_trial(own)

    def train(trial: optuna.Trial) -> float:
        def judge(epoch: Epoch) -> None:
            on_epoch()
            trial.report(-epoch.valid_loss, epoch.number)
            if trial.should_prune():
                raise optuna.TrialPruned

        net = train_net(Z, y, rows, valid, linear, _with(plan, trial.params), judge, awake, factored)
        f = net.logits(Z, valid)
        if metric == "loss" or plan.task.kind != "binary":
            return -plan.task.mean_loss(f, y[valid], plan.judged_by)
        return area_under_roc(y[valid], f)

    while len(tried := _tried(study)) < trials and sum(trial.seconds for trial in tried) < 60 * minutes:
        study.sampler = optuna.samplers.TPESampler(seed=plan.seed + len(tried))
        trial = study.ask(_distributions(space))
        try:
            study.tell(trial, train(trial))
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except FloatingPointError:
            study.tell(trial, state=TrialState.FAIL)
        on_trial(_tried(study))
    if all(trial.value is None for trial in tried):
        return plan, tried
    return _with(plan, study.best_params), tried


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: _distribution(name, among) for name, among in space.items()}


def _distribution(name: str, among: Range | Sequence[Value]) -> BaseDistribution:
    if not isinstance(among, Range):
        return CategoricalDistribution(list(among))
    if float(among.low).is_integer() and float(among.high).is_integer() and name in _WHOLE:
        return IntDistribution(int(among.low), int(among.high), log=among.log)
    return FloatDistribution(among.low, among.high, log=among.log)


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


_STATES: Mapping[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def _tried(study: optuna.Study) -> Trials:
    """The ended trials. Of a pruned one Optuna keeps the last reported loss as its value: that is no AUC."""
    return tuple(
        Trial(
            dict(frozen.params),
            frozen.value if frozen.state == TrialState.COMPLETE else None,
            _STATES[frozen.state],
            tuple(-value for _, value in sorted(frozen.intermediate_values.items())),
            0.0 if frozen.duration is None else frozen.duration.total_seconds(),
        )
        for frozen in study.get_trials(deepcopy=False, states=tuple(_STATES))
    )


def _frozen(trial: Trial, space: Space) -> FrozenTrial:
    """The trial as it was in the search that ended it: what Optuna makes of a pruned one is its last report."""
    state = next(state for state, name in _STATES.items() if name == trial.state)
    reported = {number: -loss for number, loss in enumerate(trial.losses, 1)}
    frozen = optuna.create_trial(
        state=state,
        value=reported[len(reported)] if state == TrialState.PRUNED else trial.value,
        params=dict(trial.parameters),
        distributions=_distributions(space),
        intermediate_values=reported,
    )
    begun = datetime(2000, 1, 1)  # noqa: DTZ001 - Optuna's times have no zone; only how long it took counts
    frozen.datetime_start, frozen.datetime_complete = begun, begun + timedelta(seconds=trial.seconds)
    return frozen
