# pyright: reportUnknownMemberType=false
# lightgbm leaves a type argument of its train open.
"""LightGBM on the same split and the same columns: what the net is measured against, and a voice in the order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix

from jobs.data.split import Rows
from jobs.net.tasks import BINARY, Task

_ROUNDS, _PATIENCE = 500, 30
_PARAMETERS = {
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.8,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "bin_construct_sample_cnt": 50_000,
}


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted trees, and the matrix whose rows they judge."""

    booster: lightgbm.Booster
    Z: csr_array

    def logits(self, rows: Rows) -> NDArray[np.float64]:
        """(len(rows),) or (len(rows), n_outputs) logits, or values."""
        return np.asarray(self.booster.predict(csr_matrix(self.Z[rows]), raw_score=True), dtype=np.float64)

    def gain(self) -> NDArray[np.float64]:
        """(n_codes,) total gain of all splits on each column of the matrix."""
        return np.asarray(self.booster.feature_importance("gain"), dtype=np.float64)


def boost(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    *,
    seed: int,
    threads: int,
    on_round: Callable[[], None] = lambda: None,
    task: Task = BINARY,
    judged_by: Sequence[float] = (),
) -> Trees:
    """Boost trees with early stopping on the validation rows.

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels.
        train: positions of rows to learn from.
        valid: positions of rows that end the boosting early.
        seed: of the column sampling.
        threads: cores to use.
        on_round: called after each tree; may raise to abandon.
        task: what the label is.
        judged_by: weight of each class on the validation rows; empty: all count the same.
    """

    def count_round(_: CallbackEnv) -> None:
        on_round()

    training = lightgbm.Dataset(csr_matrix(Z[train]), label=y[train], free_raw_data=True)
    weight = np.asarray(judged_by)[y[valid].astype(np.int64)] if len(judged_by) else None
    validation = lightgbm.Dataset(csr_matrix(Z[valid]), label=y[valid], weight=weight, reference=training)
    own: dict[str, object] = {"objective": task.kind, "seed": seed, "num_threads": threads}
    if task.kind == "multiclass":
        own["num_class"] = task.n_classes
    booster = lightgbm.train(
        _PARAMETERS | own,
        training,
        num_boost_round=_ROUNDS,
        valid_sets=[validation],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False), count_round],
    )
    return Trees(booster, Z)
