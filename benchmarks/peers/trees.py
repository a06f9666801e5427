"""Peers (c1) and (c2): the drop as CSR, LightGBM with the parameters of Winnow's own baseline, TreeSHAP.

    python -m benchmarks.peers.trees DROP --protocol single     (c1) one booster, 5,000 test rows explained
    python -m benchmarks.peers.trees DROP --protocol winnow     (c2) five boosters, every training row explained

Measured in whole: reading, and all of (c1). In part, for (c2): one booster of five, TreeSHAP on some rows.
"""

from pathlib import Path

import lightgbm
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, vstack

from benchmarks.peers.sides import ID, LABEL, POLICY, arguments, parts_of, split
from benchmarks.stages import stage
from jobs.data.split import Rows
from jobs.selection.baselines import boost

EXPLAINED_ROWS = 5000  # of (c1)


def main() -> None:
    """Run the recipe."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--protocol", choices=("single", "winnow"), default="single", help="(c1) or (c2)")
    parser.add_argument("--explain-rows", type=int, help="rows to explain (default: 5000 of c1, 1000 of c2)")
    parser.add_argument("--threads", type=int, default=2, help="cores to use (default: %(default)s)")
    options = parser.parse_args()
    with stage("read") as facts:
        Z, y = read_csr(options.drop)
        facts["non_zeros"] = int(Z.nnz)
    sides = split(y)
    is_single = options.protocol == "single"
    with stage("train", **({} if is_single else {"winnow": 1 / POLICY.folds})) as facts:
        rows = sides.train if is_single else sides.seen
        booster = boost(Z, y, rows, sides.valid, seed=POLICY.seed, threads=options.threads).booster
        facts["trees"] = booster.num_trees()
    candidates = sides.test if is_single else sides.held_out
    rows = candidates[: options.explain_rows or (EXPLAINED_ROWS if is_single else 1000)]
    wanted = min(EXPLAINED_ROWS, len(candidates)) if is_single else len(sides.train)
    with stage("explain", **({options.protocol: len(rows) / wanted} if len(rows) < wanted else {})) as facts:
        facts |= {"rows": len(rows), "mean_abs": _explain(booster, Z, rows)}


def read_csr(drop: Path) -> tuple[csr_array, NDArray[np.float32]]:
    """All numbers as CSR, float32, and the labels, read part by part and column by column."""
    parts, labels = [], []
    for path in parts_of(drop):
        table = pq.read_table(path)
        labels.append(table[LABEL].to_numpy().astype(np.float32))
        values, places, starts = [], [], [0]
        for name in table.column_names:
            if name in {ID, LABEL}:
                continue
            column = table[name].to_numpy()
            place = np.flatnonzero(column)
            places.append(place.astype(np.int32))
            values.append(column[place].astype(np.float32))
            starts.append(starts[-1] + len(place))
        shape = (table.num_rows, len(starts) - 1)
        parts.append(csc_array((np.concatenate(values), np.concatenate(places), np.array(starts)), shape).tocsr())
    return csr_array(vstack(parts, format="csr")), np.concatenate(labels)


def _explain(booster: lightgbm.Booster, Z: csr_array, rows: Rows) -> float:
    """Mean |attribution| of those rows, a thousand rows at a time."""
    total = 0.0
    for some in np.array_split(rows, max(1, len(rows) // 1000)):
        phi = np.asarray(booster.predict(Z[some].toarray(), pred_contrib=True))  # a fifth faster than sparse rows
        total += float(np.abs(phi[:, :-1]).sum())
    return total / (len(rows) * Z.shape[1])


if __name__ == "__main__":
    main()
