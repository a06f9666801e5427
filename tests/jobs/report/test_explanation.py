"""The long table of attributions becomes the object that every plot of shap takes."""

import importlib
import warnings
from pathlib import Path

import pandas as pd


def test_the_largest_columns_come_back_dense(tmp_path: Path) -> None:
    rows = [
        ("u1", "a", 2.0, 0.5),
        ("u1", "b", 1.0, -0.1),
        ("u1", None, None, 0.05),
        ("u2", "a", 4.0, 0.9),
        ("u2", "c", 1.0, 0.2),
        ("u2", None, None, -0.3),
    ]
    path = tmp_path / "shap_values.parquet"
    pd.DataFrame(rows, columns=["user_id", "feature", "value", "shap"]).to_parquet(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib, which shap imports
        explanation = importlib.import_module("jobs.report.explanation").load_explanation(path, top=2)
    assert explanation.feature_names == ["a", "c"]
    assert explanation.values.tolist() == [[0.5, 0], [0.9, 0.2]]  # noqa: PD011 - of shap, not of pandas
    assert explanation.data.tolist() == [[2, 0], [4, 1]]
