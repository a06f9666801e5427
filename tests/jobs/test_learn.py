"""The learning half of the story, on tables whose truth is known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from config import Problem
from jobs.data.dataset import Dataset
from jobs.data.split import automatic_share
from jobs.errors import LossDiverged, NoUsableColumn, TooFewRows
from jobs.learn import Learned
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import counts, csr_of, dataset_of, draw_labels, problem_of

N_TRUE = 16


def problem(**sections: object) -> Problem:
    return problem_of(
        **{
            "net": {"d_block": 32, "n_blocks": 1, "epochs": 8, "patience": 3, "code_penalty": 1.5},
            "explain": {"rows": 60, "background": 4, "nodes": 2},
        }
        | sections
    )


@cache
def planted() -> tuple[Dataset, np.ndarray]:
    """6,000 x 200 sparse counts: ten linear effects and three pairs that act only together; which columns are true."""
    X = counts(21, 6000, 200)
    random = np.random.default_rng(22)
    common = np.argsort(-np.diff(X.tocsc().indptr))[:80]
    true = random.choice(common, N_TRUE, replace=False)
    happened = X[:, true].toarray()
    present = (happened > 0).astype(float)
    f = np.log1p(happened[:, :10]) @ np.tile([0.9, -0.9], 5)
    for k in (10, 12, 14):
        f += 2.5 * present[:, k] * present[:, k + 1]
    is_true = np.zeros(200, bool)
    is_true[true] = True
    return dataset_of(X, draw_labels(f - f.mean(), 23)), is_true


@cache
def planted_run(threads: int = 2) -> Learned:
    return learn_quietly(planted()[0], problem(), threads)[0]


def selected_names(learned: Learned) -> set[str]:
    return {
        name for name, is_in in zip(learned.columns.design.columns, learned.selection.selected, strict=True) if is_in
    }


def true_names() -> set[str]:
    data, is_true = planted()
    return {name for name, true in zip(data.names, is_true, strict=True) if true}


def test_planted_columns_are_found_and_few_others() -> None:
    selected, true = selected_names(planted_run()), true_names()
    assert len(selected - true) <= 0.2 * len(selected)
    assert len(selected & true) >= 0.7 * N_TRUE


def test_the_first_ranks_are_true_columns() -> None:
    learned = planted_run()
    order = np.argsort(learned.selection.rank)
    first = [learned.columns.design.columns[k] for k in order[:10]]
    assert len(set(first) & true_names()) >= 9


def test_under_the_global_null_at_most_one_column_is_selected() -> None:
    data, _ = planted()
    shuffled = replace(data, y=np.random.default_rng(31).permutation(data.y))
    learned, _ = learn_quietly(shuffled, problem())
    assert learned.selection.selected.sum() <= 1
    auc = learned.judgement.metrics["test"]["net"]["auc"]
    assert auc.low <= 0.5 <= auc.high


def test_a_run_does_not_depend_on_the_number_of_threads() -> None:
    two, one = planted_run(), planted_run(1)
    for name in ("rank", "gain", "score_z", "q_value", "selected", "stability"):
        np.testing.assert_array_equal(getattr(one.selection, name), getattr(two.selection, name))
    for name in ("mean_abs", "half_width", "direction"):
        np.testing.assert_array_equal(getattr(one.summary, name), getattr(two.summary, name))
    np.testing.assert_array_equal(one.summary.entries.phi, two.summary.entries.phi)
    assert one.judgement.metrics == two.judgement.metrics
    assert one.judgement.threshold == two.judgement.threshold


def test_the_net_is_not_behind_the_linear_model_it_stands_on() -> None:
    auc = {model: found["auc"].value for model, found in planted_run().judgement.metrics["test"].items()}
    assert set(auc) == {"net", "logistic_regression", "lightgbm"}
    assert auc["net"] > auc["logistic_regression"] - 0.005
    assert auc["net"] > 0.7


def test_metrics_are_those_of_the_ensemble_on_rows_that_no_net_saw() -> None:
    learned, (data, _) = planted_run(), planted()
    for side, rows in (("valid", learned.split.valid), ("test", learned.split.test)):
        f = learned.ensemble.logits(rows)
        assert learned.judgement.metrics[side]["net"]["auc"].value == pytest.approx(
            roc_auc_score(data.y[rows], f), abs=1e-9
        )


def test_the_order_of_the_columns_changes_no_verdict_about_twins_and_no_name() -> None:
    X = counts(1, 500, 6, (0.2, 0.5)).toarray()
    X = np.hstack([X, 2 * X[:, :2]])
    y = draw_labels(X[:, 0] - 1, 2)
    small = problem(net={"d_block": 8, "epochs": 1})
    learned, _ = learn_quietly(dataset_of(csr_of(X), y), small)
    assert learned.columns.design.columns == tuple(f"column_{k:04d}" for k in range(6))
    assert learned.columns.pruning.stands_for.tolist() == [-1] * 6 + [0, 1]


def test_tuning_is_done_when_asked_for_and_its_plan_is_used() -> None:
    X = counts(1, 500, 6, (0.2, 0.5))
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 2))
    learned, _ = learn_quietly(data, problem(net={"d_block": 8, "epochs": 2}, tune={"trials": 3}))
    assert len(learned.trials) == 3
    best = max((trial for trial in learned.trials if trial.value is not None), key=lambda trial: trial.value or 0)
    assert {"learning_rate": learned.plan.learning_rate, "optimizer": learned.plan.optimizer} == best.parameters
    assert planted_run().trials == ()


def test_a_search_judges_nets_that_know_which_columns_act_together_as_the_nets_of_the_folds_do() -> None:
    X = counts(3, 2000, 300, (0.4, 0.5))
    one, two, three, four = np.where(X[:, :4].toarray() > 0, 1, -1).T
    data = dataset_of(X, draw_labels(1.5 * (one * two + three * four), 4))
    learned, _ = learn_quietly(data, problem(net={"d_block": 8, "epochs": 8}, tune={"trials": 1}))
    assert (learned.trials[0].value or 0) > 0.65  # .51 where they are not pointed out


@pytest.mark.parametrize(("cap", "weight"), [(None, 4.0), (2.5, 2.5)])
def test_class_weights_are_the_odds_of_a_negative_and_may_be_capped(cap: float | None, weight: float) -> None:
    X = counts(1, 1000, 5, (0.3, 0.5))
    y = np.tile(np.array([1, 0, 0, 0, 0], np.float32), 200)
    weighted = problem(net={"d_block": 8, "epochs": 1}, imbalance={"method": "class_weights", "cap": cap})
    learned, _ = learn_quietly(dataset_of(X, y), weighted)
    assert learned.plan.class_weights == pytest.approx((1.0, weight))


def test_a_drop_with_too_few_rows_of_a_class_is_rejected() -> None:
    y = np.zeros(60, np.float32)
    y[:3] = 1
    with pytest.raises(TooFewRows, match=r"^60 rows, 3 of them positive, cannot be split.*Lower split\.folds"):
        learn_quietly(dataset_of(counts(1, 60, 5), y), problem())


def test_a_drop_without_a_usable_column_is_rejected() -> None:
    X = csr_of(np.hstack([np.full((300, 1), 3.0), np.zeros((300, 1)), np.eye(300)[:, :2]]))
    y = np.tile(np.array([1, 0], np.float32), 150)
    with pytest.raises(NoUsableColumn, match=r"none of 4 numeric and 0 categorical columns.*Lower prune\.min_rows"):
        learn_quietly(dataset_of(X, y), problem())


def test_a_diverging_loss_is_a_failed_training_with_advice() -> None:
    X = counts(1, 500, 6, (0.2, 0.5))
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 2))
    wild = problem()
    wild = wild.model_copy(update={"net": wild.net.model_copy(update={"learning_rate": 1e30, "optimizer": "sgd"})})
    with pytest.raises(LossDiverged, match=r"epoch \d+: .*Lower net\.learning_rate"):
        learn_quietly(data, wild)


@pytest.mark.parametrize("offset", [0, 1950, 1_700_000_000])
def test_a_dense_column_far_from_zero_carries_its_signal(offset: int) -> None:
    random = np.random.default_rng(31)
    spread = random.random(1500)
    y = draw_labels(6 * (spread - 0.5), 32)
    columns = [offset + 1 + np.floor(spread * 2_600_000), random.normal(size=1500), random.poisson(0.3, 1500)]
    learned = learn_quietly(dataset_of(csr_of(np.column_stack(columns).astype(np.float32)), y), problem(), 1)[0]
    test = learned.judgement.metrics["test"]
    assert test["logistic_regression"].keys() >= {"auc"}
    assert min(test[model]["auc"].value for model in ("net", "logistic_regression")) > 0.75
    assert selected_names(learned) == {"column_0000"}


@pytest.mark.parametrize("method", ["undersample", "smote"])
def test_probabilities_stay_those_of_the_drop_whatever_the_training_rows_are(method: str) -> None:
    X = counts(1, 3000, 10, (0.2, 0.5))
    y = draw_labels(1.2 * np.log1p(X.toarray()[:, 0]) - 3.2, 2)
    asked = problem(net={"d_block": 8, "epochs": 3}, imbalance={"method": method})
    learned, _ = learn_quietly(dataset_of(X, y), asked)
    rows = learned.split.test
    p = 1 / (1 + np.exp(-learned.ensemble.logits(rows)))
    assert p.mean() == pytest.approx(y.mean(), abs=0.03)
    assert learned.judgement.metrics["test"]["net"]["auc"].value > 0.6


def test_rows_that_judge_change_nothing_that_is_fitted() -> None:
    X = counts(1, 800, 12, (0.2, 0.5))
    y = draw_labels(X.toarray()[:, 0] - 1, 2)
    small = problem(net={"d_block": 8, "epochs": 2})
    learned, _ = learn_quietly(dataset_of(X, y), small)
    dense, other = X.toarray(), y.copy()
    test = learned.split.test
    shuffled = np.random.default_rng(3).permutation(test)
    dense[test], other[test] = 7 * dense[shuffled], y[shuffled]
    again, _ = learn_quietly(dataset_of(csr_of(dense), other, split=_sides(learned, len(y))), _by_column(small))
    wanted, _ = learn_quietly(dataset_of(X, y, split=_sides(learned, len(y))), _by_column(small))
    np.testing.assert_array_equal(again.columns.scaler.factor, wanted.columns.scaler.factor)
    np.testing.assert_array_equal(again.columns.pruning.kept, wanted.columns.pruning.kept)
    np.testing.assert_array_equal(again.linear.w, wanted.linear.w)
    for one, two in zip(again.ensemble.folds, wanted.ensemble.folds, strict=True):
        np.testing.assert_array_equal(one.net.W, two.net.W)
        assert one.calibration == two.calibration
    np.testing.assert_array_equal(again.selection.q_value, wanted.selection.q_value)
    np.testing.assert_array_equal(again.summary.mean_abs, wanted.summary.mean_abs)
    assert again.judgement.threshold == wanted.judgement.threshold
    assert again.judgement.metrics["test"] != wanted.judgement.metrics["test"]


def _sides(learned: Learned, n: int) -> np.ndarray:
    sides = np.full(n, "train", object)
    sides[learned.split.valid], sides[learned.split.test] = "valid", "test"
    return sides


def _by_column(asked: Problem) -> Problem:
    return asked.model_copy(update={"table": asked.table.model_copy(update={"split": "side"})})


@pytest.mark.parametrize(("n_rows", "share"), [(1999, 0.2), (2000, 0.1), (999_999, 0.1), (1_000_000, 0.01)])
def test_shares_follow_the_number_of_rows_where_they_are_automatic(n_rows: int, share: float) -> None:
    assert automatic_share(n_rows) == share


def test_an_automatic_split_is_that_of_its_share() -> None:
    X = counts(1, 500, 6, (0.2, 0.5))
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 2))
    asked = problem(net={"d_block": 8, "epochs": 1}, split={"test": "auto", "valid": "auto", "folds": 2})
    learned, _ = learn_quietly(data, asked)
    assert [len(rows) for rows in (learned.split.test, learned.split.valid, learned.split.train)] == [100, 100, 300]


@pytest.mark.parametrize("seed", [0, 1])
def test_what_a_linear_relative_has_of_a_column_is_not_its_own(seed: int) -> None:
    random = np.random.default_rng(seed)
    true = random.normal(size=(6000, 5))
    relatives = [0.8 * true[:, [k]] + 0.6 * random.normal(size=(6000, 5)) for k in range(5)]
    dense = np.exp(0.6 * np.concatenate([true, *relatives], axis=1) + 2)
    X = csr_of(np.concatenate([dense, counts(seed + 1000, 6000, 150, (0.02, 0.3)).toarray()], axis=1))
    f = true @ [0.6, -0.5, 0.4, -0.4, 0.3]
    data = dataset_of(X, draw_labels(f - f.mean() - 0.5, seed + 5))
    learned, _ = learn_quietly(data, problem_of(explain={"rows": 20, "background": 0}))
    found = np.flatnonzero(learned.selection.selected)
    assert (found < 5).sum() >= 2
    assert (found >= 5).sum() <= 1
