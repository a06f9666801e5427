# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false
"""Training rows with rarer classes made more frequent, or commoner ones rarer, by imbalanced-learn.

Only rows that train are touched: a resampled table is the old one with the new rows behind it, and which of all rows to
train on. What judges keeps its own rows, weighed by what became of their class (`multiplied`), and calibration on
held-out rows brings the probabilities back to their frequencies.
A class with fewer than FEW_ROWS rows counts as one with so many: a thousand copies of one row teach only that row.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, vstack

from jobs.data.kernels import narrow
from jobs.data.split import FEW_ROWS, Rows

Resampled = tuple[csr_array, NDArray[np.float32], Rows]

_SAMPLERS = {
    "undersample": "RandomUnderSampler",
    "nearmiss": "NearMiss",
    "tomek": "TomekLinks",
    "oversample": "RandomOverSampler",
    "smote": "SMOTE",
}
_UNDER = {"undersample", "nearmiss"}
_NEIGHBOURS, _NEAR = 5, 3  # of SMOTE and of NearMiss, fewer where a class has fewer rows


class NoSampler(RuntimeError):
    """imbalanced-learn is not installed."""


def resample(Z: csr_array, y: NDArray[np.float32], rows: Rows, method: str, seed: int) -> Resampled:
    """Return a table, its labels and the rows of it to train on.

    Args:
        Z: (n_rows, n_codes).
        y: (n_rows,) number of the class.
        rows: that train.
        method: "undersample" and "oversample" at random, "smote" (Chawla et al. 2002), "nearmiss", "tomek"; any other
            name changes nothing.
        seed: of what is random.

    Raises:
        NoSampler: imbalanced-learn is not installed.
    """
    if method not in _SAMPLERS:
        return Z, y, rows
    own, labels = csr_matrix(Z[rows]), y[rows].astype(np.int64)
    sampler = _sampler(method, np.bincount(labels), seed)
    taken, taken_labels = sampler.fit_resample(own, labels)
    if hasattr(sampler, "sample_indices_"):
        return Z, y, np.sort(rows[sampler.sample_indices_])
    new = csr_array(taken[len(rows) :])  # SMOTE puts what it makes behind what was there
    together = csr_array(vstack([Z, new], format="csr"))
    together.indices, together.indptr = together.indices.astype(np.int32), narrow(together.indptr)
    together.sort_indices()
    made = Z.shape[0] + np.arange(new.shape[0])
    return together, np.concatenate([y, taken_labels[len(rows) :].astype(np.float32)]), np.concatenate([rows, made])


def multiplied(counts: NDArray[np.int64], method: str) -> tuple[float, ...]:
    """By how much `resample` multiplies the share of each class that has so many rows; empty: it leaves them so."""
    if method not in _SAMPLERS or method == "tomek":
        return ()
    wanted = _wanted(counts, is_under=method in _UNDER)
    after = np.array([wanted.get(k, 0) for k in range(len(counts))], np.float64)
    return tuple((after / np.maximum(counts, 1) * counts.sum() / after.sum()).tolist())


def _sampler(method: str, counts: NDArray[np.int64], seed: int) -> Any:  # noqa: ANN401 - untyped
    fewest = int(counts[counts > 0].min())
    name = _SAMPLERS["oversample" if method == "smote" and fewest < 2 else method]  # one row has no neighbour
    try:
        from imblearn import over_sampling, under_sampling  # noqa: PLC0415 - an extra: not everyone has it
    except ImportError as error:
        hint = "pip install 'winnow[imbalance]'"
        raise NoSampler(f"imbalance.method: {method} needs imbalanced-learn: {hint}") from error
    make: Any = getattr(over_sampling, name, None) or getattr(under_sampling, name)
    if name == "TomekLinks":
        return make()
    wanted = _wanted(counts, is_under=method in _UNDER)
    if name == "SMOTE":
        return make(sampling_strategy=wanted, random_state=seed, k_neighbors=min(_NEIGHBOURS, fewest - 1))
    if name == "NearMiss":
        return make(sampling_strategy=wanted, n_neighbors=min(_NEAR, fewest))
    return make(sampling_strategy=wanted, random_state=seed)


def _wanted(counts: NDArray[np.int64], *, is_under: bool) -> dict[int, int]:
    """Rows of each class afterwards: as many as of the rarest, or of the commonest; of a class of few rows fewer."""
    present = np.flatnonzero(counts)
    own = counts[present]
    if is_under:
        return dict(zip(present.tolist(), np.minimum(own, max(FEW_ROWS, int(own.min()))).tolist(), strict=True))
    times = int(own.max()) / np.maximum(own, FEW_ROWS)
    return dict(zip(present.tolist(), np.maximum(own, np.round(own * times)).astype(int).tolist(), strict=True))
