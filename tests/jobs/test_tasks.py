"""Several classes and numbers, from a dataset to the table: planted truth, metrics, what a run leaves."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from jobs.data.dataset import Dataset
from jobs.data.target import fit_target
from jobs.errors import InvalidLabel, TooFewRows
from jobs.intake import take_in
from jobs.learn import Learned
from jobs.lineage import metrics_of
from jobs.report.changes import Changes
from jobs.report.tables import features_table, write_tables
from jobs.schema import plan_reading
from jobs.stages import Stages
from storage.parquet import inspect_parts
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import categories, counts, csr_of, dataset_of, draw_labels, problem_of
from tests.storage.parts import parts_of, read

N, P, N_TRUE = 3000, 60, 8
SMALL = {
    "net": {"d_block": 32, "n_blocks": 1, "epochs": 12, "code_penalty": 1.0},
    "explain": {"rows": 60, "background": 8, "nodes": 4},
}


def planted_columns() -> tuple[np.ndarray, np.ndarray]:
    """Counts, the first eight of which act; names are in the order of the columns."""
    X = counts(3, N, P, (0.1, 0.5))
    return X, np.log1p(X.toarray()[:, :N_TRUE])


@cache
def numbers(transform: str = "none") -> tuple[Dataset, Learned, Stages]:
    X, acting = planted_columns()
    random = np.random.default_rng(4)
    y = acting @ np.tile([0.6, -0.6], 4) + 1.2 * (acting[:, 0] > 0) * (acting[:, 1] > 0) + random.normal(0, 1, N)
    y = np.exp(y) if transform == "log1p" else 100 + 10 * y
    data = replace(dataset_of(X, y.astype(np.float32)), classes=())
    learned, stages = learn_quietly(data, problem_of(task="regression", target={"transform": transform}, **SMALL))
    return data, learned, stages


@cache
def classes() -> tuple[Dataset, Learned, Stages]:
    X, acting = planted_columns()
    random = np.random.default_rng(5)
    f = np.stack([acting[:, :4].sum(axis=1), acting[:, 4:].sum(axis=1), np.full(N, 0.8), np.full(N, -3.5)], axis=1)
    y = (1.2 * f + random.gumbel(size=f.shape)).argmax(axis=1).astype(np.float32)
    town = categories("town", random.choice(["a", "b"], N).tolist())
    data = replace(dataset_of(X, y, (town,)), classes=("left", "right", "straight", "never"))
    learned, stages = learn_quietly(data, problem_of(task="multiclass", **SMALL))
    return data, learned, stages


def selected(run: tuple[Dataset, Learned, Stages]) -> set[int]:
    names = run[1].columns.design.columns
    return {
        int(names[k].removeprefix("column_")) for k in np.flatnonzero(run[1].selection.selected) if names[k] != "town"
    }


@pytest.mark.parametrize("run", [numbers, classes])
def test_planted_columns_are_selected_and_few_others(run: object) -> None:
    found = selected(run())  # pyright: ignore[reportCallIssue]
    assert len(found & set(range(N_TRUE))) >= N_TRUE - 1
    assert len(found - set(range(N_TRUE))) <= 2


def test_numbers_are_predicted_on_their_own_scale() -> None:
    data, learned, _ = numbers()
    test = learned.judgement.metrics["test"]
    assert set(test) == {"net", "linear_regression", "lightgbm"}
    f = learned.target.to_label(learned.ensemble.logits(learned.split.test))
    error = f - data.y[learned.split.test]
    assert test["net"]["rmse"].value == pytest.approx(np.sqrt((error**2).mean()), rel=1e-6)
    assert 9 < test["net"]["rmse"].value < 12  # the noise has 10
    assert test["net"]["r2"].value > 0.2
    assert learned.judgement.threshold is None
    assert learned.judgement.lead.value > -0.01


def test_a_skewed_label_is_learned_compressed() -> None:
    data, learned, _ = numbers("log1p")
    f = learned.target.to_label(learned.ensemble.logits(learned.split.test))
    y = data.y[learned.split.test]
    assert np.corrcoef(np.log1p(np.abs(f)), np.log1p(y))[0, 1] > 0.4
    assert len(selected((data, learned, Stages))) >= N_TRUE - 1  # pyright: ignore[reportArgumentType]


def test_classes_are_predicted_with_probabilities() -> None:
    data, learned, _ = classes()
    test, rows = learned.judgement.metrics["test"], learned.split.test
    f = learned.ensemble.logits(rows)
    assert f.shape == (len(rows), 4)
    assert test["net"]["accuracy"].value == pytest.approx((f.argmax(axis=1) == data.y[rows]).mean())
    assert test["net"]["accuracy"].value > 0.5
    assert learned.judgement.confusion is not None
    assert learned.judgement.confusion.sum() == len(rows)


def test_attributions_of_a_class_add_up_to_its_logit() -> None:
    data, learned, _ = classes()
    entries, design = learned.summary.entries, learned.columns.design
    for output in range(3):
        own = entries.output == output
        for fold in learned.ensemble.folds[:2]:
            rows = np.intersect1d(np.unique(entries.row[own]), fold.held_out)[:5]
            f = fold.net.logits(design.Z, rows)[:, output]
            total = np.array([entries.phi[own & (entries.row == row)].sum() for row in rows])
            spread = np.std(fold.net.logits(design.Z, fold.seen)[:, output])
            assert np.ptp(f - total) < 0.6 * spread  # f minus its attributions is the mean of the background
    assert data.n_rows == N


def test_the_interval_of_several_classes_holds_though_the_same_rows_are_explained_for_each() -> None:
    _, learned, _ = classes()
    entries, n, n_columns = learned.summary.entries, learned.summary.n_rows, len(learned.columns.design.columns)
    own = entries.column >= 0
    phi = np.zeros((learned.data.n_rows, n_columns))
    np.add.at(phi, (entries.row[own], entries.column[own]), np.abs(entries.phi[own]))
    of_rows = phi[np.unique(entries.row)]
    nearly_all = (of_rows > 0).mean(axis=0) > 0.95  # elsewhere zeros are not among the entries
    assert nearly_all.any()
    over_rows = 1.96 * of_rows.std(axis=0) / np.sqrt(n)
    assert (learned.summary.half_width >= 0.98 * over_rows)[nearly_all].all()


@pytest.mark.parametrize("run", [numbers, classes])
def test_a_run_leaves_its_tables(run: object, tmp_path: Path) -> None:
    data, learned, stages = run()  # pyright: ignore[reportCallIssue]
    features = features_table(learned)
    write_tables(tmp_path, features, learned, "user_id")
    assert len(features) == P + len(data.categorical)
    assert features.loc[features["status"] == "selected", "mean_abs_shap"].gt(0).all()
    values = pd.read_parquet(tmp_path / "shap_values.parquet")
    metrics = metrics_of(learned, Changes(), stages)
    if learned.task.kind == "multiclass":
        assert set(values["class"]) == set(data.classes)
        table = pd.read_parquet(tmp_path / "classes.parquet")
        assert table["class"].tolist() == list(data.classes)
        assert metrics["confusion"]["classes"] == list(data.classes)
        assert table["support"].sum() == len(learned.split.test)
    else:
        assert "class" not in values
        assert not (tmp_path / "classes.parquet").exists()
        assert metrics["lead_over_linear_model"]["metric"] == "r2"


def test_nothing_is_selected_where_nothing_acts() -> None:
    X, _ = planted_columns()
    random = np.random.default_rng(8)
    of_numbers = replace(dataset_of(X, random.normal(size=N).astype(np.float32)), classes=())
    of_classes = replace(dataset_of(X, random.integers(0, 4, N).astype(np.float32)), classes=("a", "b", "c", "d"))
    for data, task in ((of_numbers, "regression"), (of_classes, "multiclass")):
        learned, _ = learn_quietly(data, problem_of(task=task, **SMALL))
        assert learned.selection.selected.sum() <= 1, task


def test_class_weights_of_several_classes_are_inverse_frequencies_with_a_cap() -> None:
    X, _ = planted_columns()
    y = np.repeat([0, 1, 2], [N // 2, N // 3, N - N // 2 - N // 3]).astype(np.float32)
    data = replace(dataset_of(X, y), classes=("a", "b", "c"))
    asked = problem_of(task="multiclass", imbalance={"method": "class_weights", "cap": 1.5}, **SMALL)
    learned, _ = learn_quietly(data, asked)
    assert learned.plan.class_weights == pytest.approx((2 / 3, 1.0, 1.5), rel=0.01)


def test_a_number_far_from_zero_keeps_its_digits() -> None:
    data = take({"id": list(range(300)), "y": [1.7e9 + k % 7 for k in range(300)], "x": [1] * 300}, "regression")
    assert data.y.dtype == np.float32
    np.testing.assert_array_equal(data.label, [1.7e9 + k % 7 for k in range(300)])
    target = fit_target(data.label, np.arange(300), log1p=False)
    np.testing.assert_allclose(np.unique(target.of_label(data.label)), (np.arange(7) - 3) / 2, atol=0.01)


def test_a_tiny_number_is_learned_like_a_large_one() -> None:
    y = np.random.default_rng(1).normal(size=50) * 1e-30
    assert fit_target(y, np.arange(50), log1p=False).of_label(y).std() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a", "b"], "regression", "holds no numbers"),
        ([float("inf"), 1.0], "regression", "infinite or larger"),
        ([2.0, 2.0], "regression", "holds one value only, 2"),
        (["a", "a"], "multiclass", "holds only 'a'"),
        ([None, "a"], "multiclass", "1 of 2 rows have no label"),
        ([str(k) for k in range(201)], "multiclass", "at most 200 classes"),
    ],
)
def test_labels_that_cannot_be_learned_are_told(values: list[object], task: str, message: str) -> None:
    with pytest.raises(InvalidLabel, match=re.escape(message)):
        take({"id": list(range(len(values))), "y": values, "x": [1] * len(values)}, task)


def take(columns: dict[str, object], task: str) -> Dataset:
    parts = parts_of(pa.table(columns))
    schema = inspect_parts(parts.infos, parts.open)
    plan = plan_reading(schema, problem_of(table={"id": "id", "label": "y"}, task=task))
    return take_in(read(parts, plan), plan, schema, task)  # pyright: ignore[reportArgumentType]


def test_classes_that_all_have_too_few_rows_are_rejected() -> None:
    X, _ = planted_columns()
    y = (np.arange(300) % 60).astype(np.float32)
    data = replace(dataset_of(X[:300], y), classes=tuple(map(str, range(60))))
    with pytest.raises(TooFewRows, match="none of 60 classes has 20 rows outside the 90 test rows"):
        learn_quietly(data, problem_of(task="multiclass", split={"folds": 2, "test": 0.3, "valid": 0.3}, **SMALL))


def test_metrics_are_told_for_each_value_of_a_column_that_is_not_learned_from() -> None:
    X, acting = planted_columns()
    random = np.random.default_rng(9)
    y = (acting[:, 0] + random.normal(0, 0.5, N) > 0.5).astype(np.float32)
    ages = random.choice(["old", "young", "rare"], N, p=[0.5, 0.499, 0.001]).tolist()
    data = replace(dataset_of(X, y), report_by=(categories("age", ages),))
    learned, stages = learn_quietly(data, problem_of(**SMALL))
    assert "age" not in learned.columns.design.columns
    by = metrics_of(learned, Changes(), stages)["test_by"]["age"]
    assert set(by) == {"old", "young"}
    rows = learned.split.test[[ages[row] == "old" for row in learned.split.test]]
    f = learned.ensemble.logits(rows)
    assert by["old"]["auc"]["value"] == pytest.approx(roc_auc_score(y[rows], f))


@pytest.mark.parametrize("method", ["none", "class_weights", "oversample"])
def test_a_class_of_two_rows_makes_no_column_of_noise_signal(method: str) -> None:
    random = np.random.default_rng(0)
    values = random.poisson(1.0, (N, 6)) * (random.random((N, 6)) < 0.5)
    y = random.choice(3, N, p=[0.5, 0.3, 0.2])
    y[values[:, 0] > 1] = 1
    y[random.choice(N, 2, replace=False)] = 3
    data = replace(dataset_of(csr_of(values), y.astype(np.float32)), classes=("a", "b", "c", "d"))
    learned, _ = learn_quietly(data, problem_of(task="multiclass", imbalance={"method": method}))
    assert np.flatnonzero(learned.selection.selected).tolist() == [0]
    found = learned.task.predictions(learned.ensemble.logits(np.arange(N))).mean(axis=0)
    np.testing.assert_allclose(found, np.bincount(y) / N, atol=0.02)


def test_logits_of_several_classes_have_no_common_part() -> None:
    data, learned, _ = classes()
    for fold in learned.ensemble.folds:
        share = np.bincount(data.y[fold.seen].astype(int), minlength=4) / len(fold.seen)
        f = fold.net.logits(fold.design.Z, fold.held_out)
        assert np.abs(f @ share).max() < 1e-4 * np.abs(f).max()


@pytest.mark.parametrize(("tail", "acts"), [("lognormal", True), ("lognormal", False), ("outliers", False)])
def test_tails_of_a_number_make_no_column_of_noise_signal(tail: str, acts: bool) -> None:
    X, acting = planted_columns()
    normal = np.random.default_rng(11).normal(size=N)
    y = np.exp(1.5 * normal) if tail == "lognormal" else normal + 300.0 * (np.arange(N) < 3)
    y += acts * (acting @ np.tile([0.6, -0.6], 4))
    data = replace(dataset_of(X, y.astype(np.float32)), classes=(), numbers=y)
    learned, _ = learn_quietly(data, problem_of(task="regression", **SMALL))
    found = np.flatnonzero(learned.selection.selected)
    assert (found < N_TRUE).sum() >= acts * (N_TRUE - 1)
    assert (found >= N_TRUE).sum() <= 1


@pytest.mark.parametrize("label", ["what payers pay", "noise of the active"])
def test_columns_that_only_count_how_active_users_are_are_not_called_signal(label: str) -> None:
    """A label that is mostly zero, or varies as users do, beside columns that all go with how active a user is."""
    random = np.random.default_rng(1000)
    counts_of = random.poisson(random.gamma(0.7, 1, 2500)[:, None] * random.lognormal(-0.5, 1, 100))
    X = np.log1p(counts_of)
    S = (X - X.mean(axis=0)) / X.std(axis=0)
    true = random.choice(np.flatnonzero((X > 0).sum(axis=0) > 150), 8, replace=False)
    if label == "what payers pay":
        pays = draw_labels(S[:, true].sum(axis=1) / 2 - 3.3, 1)
        y = pays * np.exp(2 + 0.3 * S[:, true[:4]].sum(axis=1) + random.normal(size=2500))
    else:
        y = 0.2 * S[:, true].sum(axis=1) + (0.2 + 3 * X.mean(axis=1)) * random.normal(size=2500)
    data = replace(dataset_of(csr_of(counts_of), y.astype(np.float32)), classes=(), numbers=y)
    asked = problem_of(task="regression", target={"transform": "log1p"} if label == "what payers pay" else {})
    learned, _ = learn_quietly(data, asked)
    names = learned.columns.design.columns
    selected = {int(names[k].split("_")[1]) for k in np.flatnonzero(learned.selection.selected)}
    assert len(selected & set(true.tolist())) >= 5
    assert len(selected - set(true.tolist())) <= 2
