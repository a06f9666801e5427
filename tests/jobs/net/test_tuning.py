"""The search for a learning rate and an optimizer."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from jobs.errors import Abandoned
from jobs.net.linear import fit_ridge
from jobs.net.resnet import BodyShape
from jobs.net.training import TrainingPlan, train_net
from jobs.net.tuning import Range, Trial, Trials, tune
from tests.jobs.tables import csr_of, draw_labels

PLAN = TrainingPlan(BodyShape(n_blocks=1, d_block=8), epochs=8, patience=8, learning_rate=1e-4, code_penalty=1.0)


def table() -> tuple:
    random = np.random.default_rng(5)
    dense = (random.random((1500, 6)) < 0.5).astype(np.float32)
    y = draw_labels(4.0 * (dense[:, 0] != dense[:, 1]) - 2, 6)
    return csr_of(dense), y, np.arange(1000), np.arange(1000, 1500)


def search(trials: int, minutes: float = 10.0) -> tuple[TrainingPlan, tuple[Trial, ...], int]:
    Z, y, train, valid = table()
    linear = fit_ridge(Z, y, train, 0.1)
    epochs: list[None] = []
    plan, tried = tune(
        Z, y, train, valid, linear, PLAN, trials=trials, minutes=minutes, on_epoch=lambda: epochs.append(None)
    )
    return plan, tried, len(epochs)


def test_the_best_trial_wins_and_hopeless_ones_are_pruned() -> None:
    plan, tried, n_epochs = search(10)
    assert tried[0].parameters == {"learning_rate": PLAN.learning_rate, "optimizer": PLAN.optimizer}
    finished = [trial for trial in tried if trial.value is not None]
    best = max(finished, key=lambda trial: trial.value or 0)
    assert {"learning_rate": plan.learning_rate, "optimizer": plan.optimizer} == best.parameters
    assert (best.value or 0) > (tried[0].value or 0) + 0.05
    assert len(tried) == 10
    assert len(finished) < 10
    assert n_epochs < 10 * PLAN.epochs


def test_the_auc_of_a_trial_is_that_of_its_net_on_validation_rows() -> None:
    Z, y, train, valid = table()
    plan, tried, _ = search(1)
    net = train_net(Z, y, train, valid, fit_ridge(Z, y, train, 0.1), plan, [].append)
    assert plan == PLAN
    assert tried[0].value == roc_auc_score(y[valid], net.logits(Z, valid))


def timeless(trials: Trials) -> Trials:
    return tuple(replace(trial, seconds=0.0) for trial in trials)


def test_a_search_is_repeatable() -> None:
    (plan, tried, n_epochs), (again, tried_again, n_again) = search(4), search(4)
    assert (plan, timeless(tried), n_epochs) == (again, timeless(tried_again), n_again)


@pytest.mark.parametrize("n_ended", [1, 4, 7, 10])
def test_a_search_that_was_broken_off_goes_on_as_if_it_had_not_been(n_ended: int) -> None:
    Z, y, train, valid = table()
    plan, tried, _ = search(10)
    epochs: list[None] = []
    kept: list[Trials] = []
    resumed, all_tried = tune(
        Z, y, train, valid, fit_ridge(Z, y, train, 0.1), PLAN, trials=10, minutes=10,
        ended=tried[:n_ended], on_epoch=lambda: epochs.append(None), on_trial=kept.append,
    )  # fmt: skip
    assert resumed == plan
    assert timeless(all_tried) == timeless(tried)
    assert all_tried[:n_ended] == tried[:n_ended]
    assert [len(trials) for trials in kept] == list(range(n_ended + 1, 11))
    assert len(epochs) == sum(len(trial.losses) for trial in tried[n_ended:])


def test_the_time_of_ended_trials_counts() -> None:
    Z, y, train, valid = table()
    ended = (Trial({"learning_rate": 1e-3, "optimizer": "adam"}, 0.6, "complete", (0.69, 0.68), 61.0),)
    linear = fit_ridge(Z, y, train, 0.1)
    plan, tried = tune(Z, y, train, valid, linear, PLAN, trials=9, minutes=1, ended=ended, on_epoch=lambda: None)
    assert tried == ended
    assert (plan.learning_rate, plan.optimizer) == (1e-3, "adam")


def test_a_trial_whose_loss_diverges_is_told_as_failed_and_the_search_goes_on() -> None:
    Z, y, train, valid = table()
    linear = fit_ridge(Z, y, train, 0.1)
    space = {"learning_rate": (1e-4, 1e30), "optimizer": ("sgd",)}
    _, tried = tune(Z, y, train, valid, linear, PLAN, trials=8, minutes=9, space=space, on_epoch=lambda: None)
    assert {trial.state for trial in tried if trial.parameters["learning_rate"] == 1e30} == {"failed"}
    _, again = tune(
        Z, y, train, valid, linear, PLAN, trials=8, minutes=9, space=space, ended=tried[:6], on_epoch=lambda: None
    )
    assert timeless(again) == timeless(tried)


def test_who_watches_may_end_the_search() -> None:
    Z, y, train, valid = table()

    def stop() -> None:
        raise Abandoned("stop")

    with pytest.raises(Abandoned):
        tune(Z, y, train, valid, fit_ridge(Z, y, train, 0.1), PLAN, trials=3, minutes=10, on_epoch=stop)


def test_the_space_may_be_anything_of_the_plan() -> None:
    Z, y, train, valid = table()
    space = {"d_block": (4, 16), "code_penalty": Range(0.1, 2.0, log=True), "n_blocks": Range(1, 2)}
    linear = fit_ridge(Z, y, train, 0.1)
    plan, tried = tune(Z, y, train, valid, linear, PLAN, trials=4, minutes=10, space=space, on_epoch=lambda: None)
    assert all(set(trial.parameters) == set(space) for trial in tried)
    assert plan.shape.d_block in {4, 16}
    assert plan.shape.n_blocks in {1, 2}
    assert 0.1 <= plan.code_penalty <= 2.0
    assert plan.learning_rate == PLAN.learning_rate
