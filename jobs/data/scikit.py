# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false
"""What is taken from scikit-learn besides its splitters, behind typed functions: it has no types of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score


def fit_logistic(
    X: NDArray[np.float64], y: NDArray[np.float32], strength: float, *, max_iter: int
) -> tuple[NDArray[Any], float]:
    """Fit L2-penalised logistic regression.

    Args:
        X: (n_rows, n_columns).
        y: (n_rows,) labels, 0 or 1.
        strength: scikit-learn's C, the inverse of the penalty; infinite: no penalty.
        max_iter: of L-BFGS.

    Returns:
        (n_columns,) weights in the precision of X, and the intercept.
    """
    model = LogisticRegression(C=strength, solver="lbfgs", max_iter=max_iter).fit(X, y)
    return model.coef_[0], float(model.intercept_[0])


def area_under_roc(y: NDArray[np.floating], values: NDArray[np.floating]) -> float:
    """Return the area under the ROC curve of `values` (n,) against labels `y` (n,); 0.5 where they say nothing."""
    return float(roc_auc_score(y, values))
