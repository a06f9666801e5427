"""Columns of sequences whose order is read, through the whole of learning."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jobs.data.dataset import Dataset, Sequences
from jobs.learn import Learned
from jobs.model import model_of
from jobs.report.model import read_model, write_model
from jobs.report.tables import positions_table
from jobs.selection.attribution import explain_from_zero
from jobs.selection.positions import item_attributions
from storage.sequences import SequenceColumn
from storage.table import Table
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import counts, draw_labels, names_of, problem_of

N, LONGEST, DECIDES = 4000, 8, 2  # the third item from the end decides
SMALL = {"d_item": 8, "d_hidden": 16, "min_count": 1, "max_len": LONGEST}


@cache
def walks() -> Dataset:
    random = np.random.default_rng(5)
    lengths = random.integers(DECIDES + 1, LONGEST + 1, N)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    codes = random.integers(0, 4, lengths.sum()).astype(np.int32)
    noise = Sequences("noise", indptr, random.permutation(codes), ("a", "b", "c", "d"))
    path = Sequences("path", indptr, codes, ("a", "b", "c", "d"))
    decides = codes[indptr[1:] - 1 - DECIDES]
    X = counts(3, N, 3, (0.3, 0.5))
    y = draw_labels(np.array([-2.0, -2.0, 2.0, 2.0])[decides], 8)
    return Dataset(np.arange(N), X, names_of(3), (), y, ("0", "1"), sequences=(noise, path))


@cache
def learned_walks(encoder: str, threads: int = 2) -> Learned:
    asked = {"path": SMALL | {"encoder": encoder}, "noise": SMALL | {"encoder": encoder}}
    problem = problem_of(
        table={"id": "id", "label": "y", "sequences": asked},
        net={"d_block": 16, "n_blocks": 1, "epochs": 12},
        explain={"rows": 200, "background": 8, "nodes": 8},
    )
    return learn_quietly(walks(), problem, threads)[0]


def auc(learned: Learned) -> float:
    return learned.judgement.metrics["test"]["net"]["auc"].value


@pytest.mark.parametrize("encoder", ["lstm", "attention"])
def test_what_the_order_says_is_found_and_a_sequence_of_noise_is_not(encoder: str) -> None:
    learned, names = learned_walks(encoder), learned_walks(encoder).columns.design.columns
    assert auc(learned) > auc(learned_walks("mean")) + 0.1
    selected = {name for name, is_in in zip(names, learned.selection.selected, strict=True) if is_in}
    assert selected == {"path"}


@pytest.mark.parametrize("encoder", ["lstm", "attention"])
def test_the_position_that_decides_is_named(encoder: str) -> None:
    table = positions_table(learned_walks(encoder)).set_index("feature")
    path = table.loc["path"].set_index("position")["mean_abs_shap"]
    assert path.idxmax() == DECIDES
    assert path[DECIDES] > 3 * table.loc["noise", "mean_abs_shap"].max()
    rows = table.loc["path"].set_index("position")["rows"]
    assert rows[0] == 200
    assert rows.is_monotonic_decreasing


def test_items_make_up_the_attribution_of_the_column() -> None:
    learned = learned_walks("lstm")
    fold, (_, path) = learned.ensemble.folds[1], learned.columns.ordered
    rows = fold.held_out[:40]
    (block,) = explain_from_zero(fold.net, fold.design, rows, 4, lambda _: None)
    of_column = block.phi.toarray()[:, fold.design.columns.index("path")]
    by_item = item_attributions(fold, path, rows, 4)
    row = np.repeat(np.arange(40), np.diff(path.indptr)[rows])
    of_items = np.bincount(row, by_item, minlength=40)
    assert np.corrcoef(of_column, of_items)[0, 1] > 0.95
    assert np.abs(of_column - of_items).mean() < 0.5 * np.abs(of_column).mean()


def test_a_run_that_reads_order_does_not_depend_on_the_number_of_threads() -> None:
    one, two = learned_walks("lstm", 1), learned_walks("lstm")
    np.testing.assert_array_equal(one.selection.q_value, two.selection.q_value)
    assert one.judgement.metrics == two.judgement.metrics


@pytest.mark.parametrize("encoder", ["lstm", "attention", "mean"])
def test_the_model_of_a_run_reads_the_order_too(encoder: str, tmp_path: Path) -> None:
    learned, data = learned_walks(encoder), walks()
    asked = {name: SMALL | {"encoder": encoder} for name in ("noise", "path")}
    problem = problem_of(table={"id": "id", "label": "y", "sequences": asked})
    write_model(tmp_path, model_of(learned, problem))
    model = read_model(tmp_path)
    columns = tuple(SequenceColumn(each.name, each.indptr, each.codes, each.levels) for each in data.sequences)
    table = Table(data.ids, data.X, data.names, (), pa.nulls(N), sequences=columns)
    np.testing.assert_allclose(model.logits(table), learned.ensemble.logits(np.arange(N)), atol=2e-4)
    phi = model.explain(table)
    assert phi.shape == (N, 5)
    assert model.read_in_order == (frozenset() if encoder == "mean" else {"noise", "path"})


def test_positions_are_told_only_where_order_is_read() -> None:
    assert learned_walks("mean").positions == []
    assert len(positions_table(learned_walks("mean"))) == 0
