"""Small tables with known truth: sparse counts, a label planted in some of them, their dataset and design."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from config import Problem
from jobs.data.dataset import Categories, Dataset, Design
from jobs.data.design import design_of, encode, fit_vocabulary
from jobs.data.split import Rows


def csr_of(dense: NDArray[np.floating]) -> csr_array:
    """Return float32 CSR with int32 indices, sorted, without stored zeros: what reading leaves."""
    X = csr_array(np.asarray(dense, dtype=np.float32))
    X.sum_duplicates()
    X.eliminate_zeros()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def random_dense(seed: int, n_rows: int, n_columns: int, density: float = 0.3) -> NDArray[np.float32]:
    """Return normal values, most of them zero."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n_rows, n_columns)) * (random.random((n_rows, n_columns)) < density)
    return values.astype(np.float32)


def counts(seed: int, n_rows: int, n_columns: int, densities: tuple[float, float] = (0.02, 0.5)) -> csr_array:
    """Return sparse counts as game logs have them: a few common columns, many rare ones."""
    random = np.random.default_rng(seed)
    density = np.exp(random.uniform(*np.log(densities), n_columns))
    happened = random.random((n_rows, n_columns)) < density
    return csr_of(happened * (1 + random.poisson(2, (n_rows, n_columns))))


def draw_labels(f: NDArray[np.floating], seed: int) -> NDArray[np.float32]:
    """Draw 0 or 1 with logits `f`."""
    return (np.random.default_rng(seed).random(len(f)) < 1 / (1 + np.exp(-f))).astype(np.float32)


def names_of(n_columns: int, prefix: str = "column") -> tuple[str, ...]:
    return tuple(f"{prefix}_{k:04d}" for k in range(n_columns))


def dataset_of(
    X: csr_array,
    y: NDArray[np.float32],
    categorical: Sequence[Categories] = (),
    names: Sequence[str] | None = None,
    **roles: NDArray[np.generic],
) -> Dataset:
    """Return a dataset with ids 0, 1, ... `roles`: group, time, split."""
    chosen = names_of(X.shape[1]) if names is None else tuple(names)
    return Dataset(np.arange(len(y)), X, chosen, tuple(categorical), y, ("0", "1"), **roles)


def categories(name: str, values: Sequence[str | None]) -> Categories:
    """Return a categorical column as reading leaves it."""
    levels = tuple(sorted({value for value in values if value is not None}))
    place = {level: code for code, level in enumerate(levels)}
    return Categories(name, np.array([-1 if v is None else place[v] for v in values], np.int32), levels)


def mixed_design(X: csr_array, categorical: Sequence[Categories], rows: Rows) -> Design:
    """Return numeric and categorical columns side by side, unscaled, every level with a code of its own."""
    vocabularies = [fit_vocabulary(column, rows, 1) for column in categorical]
    codes = [(v, encode(column, v)) for column, v in zip(categorical, vocabularies, strict=True)]
    return design_of(X, names_of(X.shape[1]), codes)


def problem_of(**sections: object) -> Problem:
    """Return a problem with small nets and few epochs; `sections` replace those of the problem file."""
    declared: dict[str, object] = {
        "problem": "return",
        "drops": "s3://drops/return/",
        "results": "s3://results/",
        "table": {"id": "user_id", "label": "active"},
        "net": {"d_block": 16, "epochs": 6, "patience": 3},
        "explain": {"rows": 100, "background": 8, "nodes": 4},
        "split": {"folds": 3, "valid": 0.15, "test": 0.15},
    }
    return Problem.model_validate(declared | sections)
