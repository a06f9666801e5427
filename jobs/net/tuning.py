"""Learning rate and optimizer by a few Optuna trials; hopeless trials are pruned after their first epochs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import optuna
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.scikit import area_under_roc
from jobs.data.split import Rows
from jobs.net.linear import LinearModel
from jobs.net.training import Epoch, TrainingPlan, train_net


@dataclass(frozen=True, slots=True)
class Trial:
    """One tried plan.

    Attributes:
        learning_rate, optimizer: of the plan.
        value: on the validation rows: AUC, or minus the loss; None if it was pruned or diverged.
    """

    learning_rate: float
    optimizer: str
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
        on_trial: called after each epoch of every trial; may raise to abandon the search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=plan.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3),
    )
    study.enqueue_trial({"learning_rate": plan.learning_rate, "optimizer": plan.optimizer})

    def objective(trial: optuna.Trial) -> float:
        candidate = replace(
            plan,
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
            optimizer=trial.suggest_categorical("optimizer", ["adamw", "adam", "sgd"]),
        )

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
    best = study.best_params
    return replace(plan, learning_rate=best["learning_rate"], optimizer=best["optimizer"]), tried


def _trial(frozen: optuna.trial.FrozenTrial) -> Trial:
    """Of a pruned trial Optuna keeps the last reported loss as its value: that is no AUC."""
    finished = frozen.state == optuna.trial.TrialState.COMPLETE
    return Trial(frozen.params["learning_rate"], frozen.params["optimizer"], frozen.value if finished else None)
