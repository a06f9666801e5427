"""A dense table whose columns act through bends: from the drop to the table and to the scores of the model."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from config import Problem
from jobs.data.dataset import Dataset
from jobs.learn import Learned, learn
from jobs.model import model_of
from jobs.observer import Silent
from jobs.report.model import read_model, write_model
from jobs.stages import Stages

ROWS = 3000


@pytest.fixture(scope="module")
def data() -> Dataset:
    random = np.random.default_rng(5)
    values = random.normal(size=(ROWS, 6)).astype(np.float32)
    logit = 1.5 * (np.abs(values[:, 0]) - 0.8) + 1.5 * (np.abs(values[:, 1]) < 0.7) - 0.7
    y = (random.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(np.float32)
    X = csr_array(values)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return Dataset(np.arange(ROWS), X, tuple("abcdef"), (), y, ("0", "1"))


def problem(knots: int) -> Problem:
    return Problem.model_validate(
        {
            "problem": "curves",
            "drops": "drops/",
            "results": "results/",
            "table": {"id": "id", "label": "y"},
            "scale": {"log1p": False},
            "split": {"test": 0.2},
            "net": {"knots": knots, "epochs": 12, "d_block": 32, "n_blocks": 1},
        }
    )


@pytest.fixture(scope="module")
def learned(data: Dataset) -> Learned:
    return learn(data, problem(16), 2, Stages(Silent()))


def test_columns_that_act_through_a_bend_are_selected_and_no_others(learned: Learned) -> None:
    columns = learned.columns.design.columns
    assert {columns[int(k)] for k in np.flatnonzero(learned.selection.selected)} == {"a", "b"}


def test_the_linear_model_under_the_nets_bends_too(data: Dataset, learned: Learned) -> None:
    straight = learn(data, problem(0), 2, Stages(Silent()))

    def auc(of: Learned) -> float:
        return of.judgement.metrics["test"]["logistic_regression"]["auc"].value

    assert auc(straight) < 0.6
    assert auc(learned) > auc(straight) + 0.1


def test_attributions_of_curves_add_up(learned: Learned) -> None:
    assert learned.summary.gap_mean < 0.03 * learned.summary.spread
    assert learned.summary.mean_abs.shape == (6,)


def test_the_written_model_says_what_the_nets_said(data: Dataset, learned: Learned, tmp_path: Path) -> None:
    write_model(tmp_path, model_of(learned, problem(16)))
    model = read_model(tmp_path)

    assert model.knots.at.tolist() == learned.columns.knots.at.tolist()
    design, rows = learned.columns.design, learned.split.test
    again = np.mean([each.calibration.apply(each.net.logits(design.Z, rows)) for each in model.nets], axis=0)
    np.testing.assert_allclose(again, learned.ensemble.logits(rows), atol=1e-5)


def test_curves_that_do_not_help_on_validation_rows_are_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    values = random.normal(size=(ROWS, 30)).astype(np.float32)
    logit = 0.8 * values[:, 3] - 0.8 * values[:, 7] - 3  # straight, on some 250 positive rows
    y = (random.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(np.float32)
    X = csr_array(values)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    straight = Dataset(np.arange(ROWS), X, tuple(f"c{k:02d}" for k in range(30)), (), y, ("0", "1"))
    found = learn(straight, problem(16), 2, Stages(Silent()))
    assert not found.columns.is_curved
    assert found.columns.design is found.columns.plain
    write_model(tmp_path, model_of(found, problem(16)))
    assert len(read_model(tmp_path).knots.at) == 0


def test_curves_that_help_are_kept(learned: Learned) -> None:
    assert learned.columns.is_curved
