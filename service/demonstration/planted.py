"""What is planted in a demonstration: which columns there are, which of them act on the label, and how.

Game logs look like this: most columns are zero for most users, densities spread over two decades, and the counts that
are there have a heavy tail (Zipf). Everything follows from the seed.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Effect = Literal["log_count", "presence"]
Floats = npt.NDArray[np.float64]

DENSITIES = (0.003, 0.3)
PLANTED_DENSITY = 0.04  # planted columns are at least this dense: what 60 users do cannot be learned from
COLUMNS_PER_LOG = 20
MOST_PLANTED = 40
ZIPF_EXPONENT = 1.9
LARGEST_COUNT = 500
TWIN_DIFFERS = 0.03  # share of a twin's counts that are one more than the original's


@dataclass(frozen=True, slots=True)
class Truth:
    """The columns of a demonstration and what they do.

    Attributes:
        names: of the sparse columns, twins, constant and zero column included, in the order of the drop.
        densities: (n_columns,) share of users with a count.
        effects: what a planted column acts through.
        weights: the standard deviation of its part of the logit, with its sign; of dense columns too.
        pairs: two planted columns whose presence together acts as well.
        twins: a near duplicate by its original.
        constant: the column that is 1 for everybody.
        zero: the column that is 0 for everybody.
        seed: what everything random follows from.
    """

    names: tuple[str, ...]
    densities: Floats = field(repr=False)
    effects: dict[str, Effect]
    weights: dict[str, float]
    pairs: tuple[tuple[str, str], ...]
    twins: dict[str, str]
    constant: str
    zero: str
    seed: int

    @property
    def noise(self) -> None:
        """All that is not planted."""

    @property
    def planted(self) -> frozenset[str]:
        """Every column that acts on the label, dense ones too."""
        return frozenset(self.weights)

    def to_json(self) -> dict[str, object]:
        """Return what stands in the truth file."""
        return {
            "planted": {
                name: {"effect": self.effects.get(name, "dense"), "weight": w} for name, w in self.weights.items()
            },
            "interactions": [list(pair) for pair in self.pairs],
            "twins": self.twins,
            "constant": self.constant,
            "zero": self.zero,
            "seed": self.seed,
        }


def plan(n_columns: int, dense_weights: dict[str, float], seed: int) -> Truth:
    """Decide what the columns are.

    Args:
        n_columns: sparse columns, twins, constant and zero column included.
        dense_weights: the dense columns that act, with their weights.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    names = [
        f"{1 + index // COLUMNS_PER_LOG}_{rng.integers(1, 99)}{index % COLUMNS_PER_LOG:02d}"
        for index in range(n_columns)
    ]
    low, high = np.log(DENSITIES)
    densities = np.exp(rng.uniform(low, high, n_columns))
    shuffled = [int(index) for index in rng.permutation(n_columns)]
    constant, zero = shuffled.pop(), shuffled.pop()
    n_planted = max(4, min(MOST_PLANTED, n_columns // 12))
    dense_enough = [index for index in shuffled if densities[index] >= PLANTED_DENSITY]
    planted = dense_enough[:n_planted]
    twins = _twins(planted, [index for index in shuffled if index not in set(planted)])
    for twin, original in twins.items():
        densities[twin] = densities[original]
    kinds: tuple[Effect, ...] = ("log_count", "log_count", "presence")
    return Truth(
        names=tuple(names),
        densities=densities,
        effects={names[index]: kinds[at % 3] for at, index in enumerate(planted)},
        weights={names[index]: _weight(rng) for index in planted} | dense_weights,
        pairs=tuple((names[a], names[b]) for a, b in zip(planted[:3], planted[3:6], strict=False)),
        twins={names[twin]: names[original] for twin, original in twins.items()},
        constant=names[constant],
        zero=names[zero],
        seed=seed,
    )


def sparse_counts(truth: Truth, n_rows: int) -> sp.csc_array:
    """Return the counts of all users.

    Args:
        truth: the plan.
        n_rows: users.

    Returns:
        (n_rows, n_columns), int32.
    """
    rng = np.random.default_rng([truth.seed, 1])
    place = {name: index for index, name in enumerate(truth.names)}
    rows: list[npt.NDArray[np.int64]] = []
    counts: list[npt.NDArray[np.int64]] = []
    for name, density in zip(truth.names, truth.densities, strict=True):
        users = np.flatnonzero(rng.random(n_rows) < density)
        rows.append(users)
        counts.append(np.minimum(rng.zipf(ZIPF_EXPONENT, users.size), LARGEST_COUNT))
        if name in (truth.zero, truth.constant):
            rows[-1] = np.arange(n_rows if name == truth.constant else 0)
            counts[-1] = np.ones(rows[-1].size, np.int64)
    for twin, original in truth.twins.items():
        source, target = place[original], place[twin]
        rows[target] = rows[source]
        counts[target] = counts[source] + (rng.random(counts[source].size) < TWIN_DIFFERS)
    pointers = np.concatenate(([0], np.cumsum([each.size for each in rows])))
    data = np.concatenate(counts).astype(np.int32)
    return sp.csc_array((data, np.concatenate(rows), pointers), shape=(n_rows, len(truth.names)))


def sparse_logit(truth: Truth, X: sp.csc_array) -> Floats:
    """Return the part of the logit that the sparse columns make: (n_rows,), each effect centred."""
    place = {name: index for index, name in enumerate(truth.names)}
    logit = np.zeros(X.shape[0])
    for name, effect in truth.effects.items():
        counts = _column(X, place[name])
        logit += truth.weights[name] * standardised(np.log1p(counts) if effect == "log_count" else np.sign(counts))
    for one, other in truth.pairs:
        together = [standardised(np.sign(_column(X, place[name]))) for name in (one, other)]
        logit += 0.25 * standardised(together[0] * together[1])
    return logit


def standardised(values: Floats) -> Floats:
    """Return values with mean 0 and standard deviation 1."""
    return (values - values.mean()) / max(values.std(), 1e-12)


def _column(X: sp.csc_array, index: int) -> Floats:
    start, stop = X.indptr[index], X.indptr[index + 1]
    column = np.zeros(X.shape[0])
    column[X.indices[start:stop]] = X.data[start:stop]
    return column


def _twins(planted: list[int], others: list[int]) -> dict[int, int]:
    """Return a few twins of planted columns and as many of noise, by index."""
    half = max(1, len(planted) // 4)
    originals = [*planted[:half], *others[2 * half : 3 * half]]
    return dict(zip(others[: 2 * half], originals, strict=False))


def _weight(rng: np.random.Generator) -> float:
    return round(float(rng.uniform(0.2, 0.45) * rng.choice([-1.0, 1.0])), 3)
