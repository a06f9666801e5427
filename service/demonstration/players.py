"""The table of a demonstration: users with sparse counts, dense account columns, and whether they came back."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.stats import rankdata

from service.demonstration.planted import Floats, Truth, plan, sparse_counts, sparse_logit, standardised

POSITIVE_SHARE = 0.4
BLOCK_ROWS = 4_000  # a part of the drop, and all that is ever dense at once
SEED = 7
DENSE_WEIGHTS = {"play_seconds": 0.6, "login_days": 0.5, "max_level": 0.35}


@dataclass(frozen=True, slots=True)
class Players:
    """All users of a demonstration.

    Attributes:
        truth: what was planted.
        counts: (n_rows, n_columns) the sparse columns.
        dense: the account columns.
        label: (n_rows,) 1 where the user came back.
        best_auc: the AUC of the true probability: nobody can do better.
    """

    truth: Truth
    counts: sp.csc_array
    dense: pd.DataFrame
    label: Floats
    best_auc: float

    def blocks(self) -> Iterator[pd.DataFrame]:
        """Yield the table as a writer would see it, a block of users at a time."""
        by_rows = self.counts.tocsr()
        for start in range(0, len(self.label), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            label = self.label[rows].astype(np.int8)
            ids = np.arange(start, start + len(label)) + 1_000_001
            counts = pd.DataFrame(by_rows[rows].toarray(), columns=list(self.truth.names))
            dense = self.dense.iloc[rows].reset_index(drop=True)
            keys = pd.DataFrame({"user_id": ids, "active": label})
            yield pd.concat([keys, dense, counts], axis="columns")


def make_players(n_rows: int, n_columns: int, seed: int = SEED) -> Players:
    """Make the users.

    Args:
        n_rows: users.
        n_columns: sparse columns.
        seed: of everything random.
    """
    truth = plan(n_columns, DENSE_WEIGHTS, seed)
    rng = np.random.default_rng([seed, 2])
    counts = sparse_counts(truth, n_rows)
    dense = _account_columns(rng, n_rows)
    logit = sparse_logit(truth, counts)
    for name, weight in DENSE_WEIGHTS.items():
        logit += weight * standardised(np.log1p(dense[name].to_numpy(np.float64)))
    probability = 1 / (1 + np.exp(-(logit + _intercept(logit))))
    label = (rng.random(n_rows) < probability).astype(np.float64)
    return Players(truth, counts, dense, label, _auc(probability, label))


def _account_columns(rng: np.random.Generator, n_rows: int) -> pd.DataFrame:
    """Return the dense columns: some depend on how much somebody plays, most act on nothing."""
    eagerness = rng.normal(size=n_rows)
    pays = rng.random(n_rows) < 0.12
    return pd.DataFrame(
        {
            "play_seconds": np.exp(8 + 0.9 * eagerness + 0.6 * rng.normal(size=n_rows)).astype(np.int64),
            "login_days": rng.binomial(30, 1 / (1 + np.exp(-0.5 * eagerness))).astype(np.int32),
            "max_level": (1 + rng.gamma(4.0, 6.0, n_rows)).astype(np.int32),
            "pay_amount": np.where(pays, np.exp(rng.normal(3, 1, n_rows)), 0.0).round(2),
            "pay_count": np.where(pays, rng.geometric(0.4, n_rows), 0).astype(np.int32),
            "friends": rng.poisson(6, n_rows).astype(np.int32),
            "guild_rank": rng.integers(0, 5, n_rows).astype(np.int32),
            "account_age_days": rng.integers(1, 1500, n_rows).astype(np.int32),
        }
    )


def _intercept(logit: Floats) -> float:
    """Return what makes the mean probability POSITIVE_SHARE, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        is_too_low = np.mean(1 / (1 + np.exp(-(logit + middle)))) < POSITIVE_SHARE
        low, high = (middle, high) if is_too_low else (low, middle)
    return low


def _auc(score: Floats, label: Floats) -> float:
    ranks = rankdata(score)
    n_positive = label.sum()
    n_negative = len(label) - n_positive
    return float((ranks[label == 1].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))
