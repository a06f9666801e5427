"""How good every model is on validation and test rows, each at the threshold that the problem's policy gives it."""

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.data.dataset import Dataset
from jobs.data.split import Split
from jobs.selection.metrics import Estimate, choose_threshold, evaluate

Logits = dict[str, dict[str, NDArray[np.float64]]]  # side -> model -> (n_rows of the side,)
Metrics = dict[str, dict[str, dict[str, Estimate]]]  # side -> model -> metric


def judge(logits: Logits, data: Dataset, split: Split, problem: Problem) -> tuple[float, Metrics]:
    """The net's threshold, and the metrics of every model on both sides, each at its own threshold."""
    policy = problem.threshold
    y = {"valid": data.y[split.valid], "test": data.y[split.test]}
    thresholds = {
        model: choose_threshold(f, y["valid"], policy.policy, policy.value) for model, f in logits["valid"].items()
    }
    metrics = {
        side: {model: evaluate(f, y[side], thresholds[model], problem.split.seed) for model, f in of_side.items()}
        for side, of_side in logits.items()
    }
    return thresholds["net"], metrics
