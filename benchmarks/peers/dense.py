"""Peer (b), the best dense recipe: pyarrow to float32, numpy.corrcoef, a dense net, captum's DeepLift.

    python -m benchmarks.peers.dense DROP --epochs 8.6

Protocol `winnow`: five nets, every training row explained by the net that never saw it. Measured in whole: reading,
scaling, correlating. In part: an epoch or some of one net, DeepLift on some rows, batched, with zero as its baseline.
"""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from captum.attr import DeepLift
from numpy.typing import NDArray

from benchmarks.peers.net import Trainer, measured_epochs
from benchmarks.peers.sides import ID, LABEL, POLICY, Sides, add_epochs, arguments, parts_of, split
from benchmarks.stages import stage
from config.sections import PruneSettings
from jobs.net.training import TrainingPlan

Table = NDArray[np.float32]

_COLUMNS_AT_ONCE = 32


def main() -> None:
    """Run the recipe."""
    parser = arguments(__doc__ or "")
    add_epochs(parser)
    told = "numpy.corrcoef computes in this type; numpy's own choice is float64 (default: %(default)s)"
    parser.add_argument("--precision", choices=("float32", "float64"), default="float32", help=told)
    parser.add_argument("--explain-rows", type=int, default=4096, help="rows to explain (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=512, help="rows of a batch of DeepLift (default: %(default)s)")
    options = parser.parse_args()
    with stage("read"):
        X, y = _read(options.drop)
    with stage("scale"):
        sides = split(y)
        _scale(X, sides)
    with stage("correlate"):
        correlation = np.corrcoef(X[sides.train], rowvar=False, dtype=np.dtype(options.precision))
    with stage("prune") as facts:
        X = _take(X, np.flatnonzero(~_has_earlier_twin(correlation)))
        del correlation
        facts["kept"] = X.shape[1]
    _learn_and_explain(X, y, sides, options)


def _read(drop: Path) -> tuple[Table, Table]:
    """All numbers, (n_rows, n_features), and the labels, (n_rows,), read part by part."""
    files = [pq.ParquetFile(part) for part in parts_of(drop)]
    names = [name for name in files[0].schema_arrow.names if name not in {ID, LABEL}]
    n_rows = sum(file.metadata.num_rows for file in files)
    X, y, at = np.empty((n_rows, len(names)), np.float32), np.empty(n_rows, np.float32), 0
    for file in files:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=[*names, LABEL])
            part = slice(at, at + table.num_rows)
            for first in range(0, len(names), _COLUMNS_AT_ONCE):
                some = names[first : first + _COLUMNS_AT_ONCE]
                X[part, first : first + len(some)] = np.stack([table[name].to_numpy() for name in some], axis=1)
            y[part] = table[LABEL].to_numpy()
            at += table.num_rows
    return X, y


def _scale(X: Table, sides: Sides) -> None:
    """Min-max in place, fitted on the training rows."""
    low, high = np.full(X.shape[1], np.inf, np.float32), np.full(X.shape[1], -np.inf, np.float32)
    for rows in np.array_split(sides.train, max(1, len(sides.train) // 1024)):
        part = X[rows]
        np.minimum(low, part.min(axis=0), out=low)
        np.maximum(high, part.max(axis=0), out=high)
    X -= low
    X /= np.where(high > low, high - low, 1)


def _has_earlier_twin(correlation: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n_features,): whether a column is as good as equal to one on its left."""
    limit = PruneSettings().correlation
    return np.array([bool(np.any(np.abs(row[:j]) > limit)) for j, row in enumerate(correlation)])


def _take(X: Table, columns: NDArray[np.int64]) -> Table:
    """Those columns of X, moved together in place and cut off: no second table is made."""
    for rows in range(0, len(X), 1024):
        X[rows : rows + 1024, : len(columns)] = X[rows : rows + 1024, columns]
    return X[:, : len(columns)]


def _learn_and_explain(X: Table, y: Table, sides: Sides, options: Namespace) -> None:
    table = torch.from_numpy(X)
    trainer = Trainer(table, torch.from_numpy(y), TrainingPlan(), fused=True)
    trainer.warm_up(sides.seen, sides.valid)
    count = measured_epochs(len(sides.seen))
    with stage("train", winnow=count / (options.epochs * POLICY.folds)) as facts:
        facts["valid_loss"] = trainer.run_epochs(count, sides.seen, sides.valid)
    lift, rows = DeepLift(trainer.net), torch.from_numpy(sides.held_out[: options.explain_rows])
    lift.attribute(table[rows[:8]])
    with stage("explain", winnow=len(rows) / len(sides.train)) as facts:
        total = sum(float(lift.attribute(table[batch]).detach().abs().sum()) for batch in rows.split(options.batch))
        facts |= {"rows": len(rows), "mean_abs": total / (len(rows) * X.shape[1])}


if __name__ == "__main__":
    main()
