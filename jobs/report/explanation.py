# pyright: reportMissingTypeStubs=false
"""shap_values.parquet as a shap.Explanation, so that every plot of shap works on it."""

from pathlib import Path

import numpy as np
import pandas as pd
import shap


def load_explanation(path: Path, top: int = 50) -> shap.Explanation:
    """Return the attributions of the `top` columns with the largest mean |SHAP|, dense, (n_rows, top).

    Args:
        path: a shap_values.parquet; its first column names the rows.
        top: columns to keep; all others, and the zero entries of a row, are left out.
    """
    frame = pd.read_parquet(path)
    rows = pd.Index(frame.iloc[:, 0].unique())
    named = frame[frame["feature"].notna()]
    weight = named["shap"].abs().groupby(named["feature"]).sum()
    columns = pd.Index(weight.nlargest(top).index)
    kept = named[named["feature"].isin(columns)]
    at = rows.get_indexer(pd.Index(kept.iloc[:, 0])), columns.get_indexer(pd.Index(kept["feature"]))
    shap_values, data = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    shap_values[at], data[at] = kept["shap"], kept["value"]
    return shap.Explanation(values=shap_values, data=data, feature_names=[str(name) for name in columns])
