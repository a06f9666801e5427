"""Drops of any size, written part by part: never more than one part of the table is in memory.

    python -m benchmarks.drops S FOLDER

Counts with Zipf popularity, every 50th column a near-duplicate of the one before it, twenty dense KPI columns, and a
label with planted truth: thirty sparse columns and eight KPI columns act on it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KPI = 20
KPI_WEIGHTS = np.array([0.3, -0.25, 0.2, -0.2, 0.15, -0.1, 0.1, 0.05])
TRUE_COLUMNS = 30
TWIN_EVERY = 50
PART_ROWS = 25_000
PART_CELLS = 100_000_000  # so many numbers at most are in memory
INTERCEPT = -1.5


@dataclass(frozen=True)
class Size:
    """The size of a drop: rows, sparse columns, mean share of non-zeros among them."""

    rows: int
    columns: int
    density: float


SIZES = {
    "XS": Size(20_000, 1_000, 0.02),
    "S": Size(100_000, 2_000, 0.02),
    "M": Size(200_000, 5_000, 0.013),
    "L": Size(1_000_000, 10_000, 0.0054),
}


@dataclass(frozen=True)
class Plan:
    """What the columns of a drop do.

    Attributes:
        share: (columns,) probability of a non-zero.
        weights: (columns,) effect of log1p(count) on the logit.
    """

    share: Floats
    weights: Floats


def plan(size: Size, seed: int = 0) -> Plan:
    """Return the truth of a drop of this size."""
    random = np.random.default_rng(seed)
    share = np.arange(1, size.columns + 1) ** -0.8
    for _ in range(20):  # capping the commonest columns lowers the mean: scale again until it stays
        share = np.minimum(share * size.density / share.mean(), 0.5)
    weights = np.zeros(size.columns)
    weights[random.choice(size.columns, TRUE_COLUMNS, replace=False)] = random.normal(size=TRUE_COLUMNS)
    return Plan(share, weights)


def part(chosen: Plan, rows: int, number: int, first_id: int, seed: int = 0) -> pa.Table:
    """Make one part.

    Args:
        chosen: the plan of the drop.
        rows: of this part.
        number: of this part.
        first_id: the id of its first row.
        seed: of the drop.
    """
    random = np.random.default_rng([seed, 1, number])
    kpi = random.gamma(2, 1, (rows, KPI)).astype(np.float32)
    logit = INTERCEPT + kpi[:, : len(KPI_WEIGHTS)] @ KPI_WEIGHTS
    columns: dict[str, pa.Array] = {}
    counts = np.zeros(rows, np.int32)
    for j, share in enumerate(chosen.share):
        if j % TWIN_EVERY == TWIN_EVERY - 1:
            counts = counts.copy()
            counts[random.choice(rows, max(1, rows // 5000), replace=False)] += 1
        else:
            counts = np.zeros(rows, np.int32)
            users = random.choice(rows, random.binomial(rows, share), replace=False)
            counts[users] = random.geometric(0.5, len(users))
        columns[f"{j % 97}_{j}"] = pa.array(counts)
        if chosen.weights[j]:
            logit = logit + chosen.weights[j] * np.log1p(counts)
    label = (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    keys = {"user_id": pa.array(np.arange(first_id, first_id + rows)), "active": pa.array(label)}
    dense = {f"kpi_{k}": pa.array(kpi[:, k]) for k in range(KPI)}
    return pa.table(keys | columns | dense)


def write_drop(size: Size, folder: Path, seed: int = 0) -> None:
    """Write a whole drop, marker last."""
    folder.mkdir(parents=True)
    chosen = plan(size, seed)
    rows = min(PART_ROWS, PART_CELLS // size.columns, size.rows)
    for number, first in enumerate(range(0, size.rows, rows)):
        table = part(chosen, min(rows, size.rows - first), number, first, seed)
        pq.write_table(table, folder / f"part-{number:05d}.snappy.parquet")
    (folder / "_SUCCESS").touch()


if __name__ == "__main__":
    write_drop(SIZES[sys.argv[1]], Path(sys.argv[2]))
