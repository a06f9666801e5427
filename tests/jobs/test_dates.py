"""Columns of dates through the whole of learning: tenure and the day of the week are found, chance and leaks told."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from config import Problem
from jobs.data.dataset import Dataset, Dates
from jobs.learn import Learned
from jobs.model import model_of
from jobs.report.model import read_model, write_model
from jobs.report.tables import features_table, shap_values_table
from storage.dates import DateColumn
from storage.table import Table
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import counts, draw_labels, names_of, problem_of

N = 3000
TABLE = {"id": "id", "label": "y", "time": "seen_at"}
NAMES = ("a_born", "b_ends", "c_gone", "d_joined", "e_once", "f_visited")


def moments(days: np.ndarray) -> np.ndarray:
    return np.datetime64("2026-01-01", "us") + (days * 86_400e6).astype("timedelta64[us]")


@cache
def dated() -> Dataset:
    """Noise, the future, a leak by its absence, tenure (the young leave), one date, and the day of the week."""
    random = np.random.default_rng(7)
    seen = moments(random.uniform(0, 30, N).round())
    tenure, visited = random.exponential(60, N), moments(random.uniform(-70, 0, N))
    weekday = (visited.astype("datetime64[D]").astype(int) + 3) % 7
    y = draw_labels(1.6 * (tenure > 25) + 1.4 * (weekday >= 5) - 1.3, 33)
    columns = (
        moments(random.uniform(-9000, -7000, N)),
        seen + np.timedelta64(9, "D"),
        np.where(y == 1, np.datetime64("NaT"), seen - np.timedelta64(2, "D")),
        seen - (tenure * 86_400e6).astype("timedelta64[us]"),
        np.full(N, np.datetime64("2025-12-31", "us")),
        visited,
    )
    dates = tuple(Dates(name, column) for name, column in zip(NAMES, columns, strict=True))
    X = counts(9, N, 3, (0.3, 0.5))
    return Dataset(np.arange(N), X, names_of(3), (), y, ("0", "1"), dates=dates, until=seen)


@cache
def learned_dates(threads: int = 2) -> Learned:
    without_leak = tuple(column for column in dated().dates if column.name != "c_gone")
    return learn_quietly(replace(dated(), dates=without_leak), problem(), threads)[0]


def problem() -> Problem:
    return problem_of(
        table=TABLE | {"dates": list(NAMES)},
        net={"d_block": 32, "n_blocks": 1, "epochs": 12},
        explain={"rows": 200, "background": 8},
    )


def test_tenure_and_weekday_are_found_and_other_dates_are_not() -> None:
    table = features_table(learned_dates()).set_index("feature")
    assert set(table.index[table["status"] == "selected"]) == {"d_joined", "f_visited"}
    assert table.loc["e_once", "status"] == "not_selected"  # it is 0 to 30 days before the row's time
    assert table.loc["b_ends", "status"] == "not_selected"
    assert set(table["kind"]) == {"numeric", "date"}
    flags = table["flags"].map(set)
    assert {name for name in table.index if "late" in flags[name]} == {"b_ends"}
    assert table.loc["d_joined", "coverage"] == 1


def test_curves_and_calendar_beat_the_line() -> None:
    learned = learned_dates()
    net = learned.judgement.metrics["test"]["net"]["auc"].value
    assert net > 0.68
    assert learned.columns.plain.n_codes < learned.columns.design.n_codes


def test_a_date_that_only_those_who_left_have_is_a_leak() -> None:
    learned = learn_quietly(dated(), problem(), 2)[0]
    assert learned.columns.flags["leak_suspect"] == {"c_gone"}


def test_the_dates_of_explained_rows_are_told() -> None:
    table = shap_values_table(learned_dates(), "id")
    own = table[table["feature"] == "d_joined"]
    joined = {column.name: column for column in dated().dates}["d_joined"].moments
    assert own["level"].iloc[0] == str(joined[own["id"].iloc[0]].astype("datetime64[s]"))


def test_the_model_of_a_run_reads_dates_too(tmp_path: Path) -> None:
    learned, data = learned_dates(), dated()
    write_model(tmp_path, model_of(learned, problem()))
    model = read_model(tmp_path)
    assert model.until == "seen_at"
    assert data.until is not None
    columns = tuple(DateColumn(column.name, column.moments) for column in data.dates if column.name != "c_gone")
    until = DateColumn("seen_at", data.until)
    table = Table(data.ids, data.X, data.names, (), pa.nulls(N), dates=columns, until=until)
    np.testing.assert_allclose(model.logits(table), learned.ensemble.logits(np.arange(N)), atol=2e-4)
    fewer = model.logits(replace(table, dates=columns[:1]))  # the others never happened
    assert np.isfinite(fewer).all()


def test_dates_do_not_depend_on_the_number_of_threads() -> None:
    np.testing.assert_array_equal(learned_dates(1).selection.q_value, learned_dates().selection.q_value)
