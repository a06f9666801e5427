"""Peer (a), the origin's recipe: pandas, MinMaxScaler, DataFrame.corr, a dense net, shap.GradientExplainer.

    python -m benchmarks.peers.origin DROP --epochs 8.6

Two protocols are extrapolated from the same measured parts:

    origin   as it ran: one net on all training rows, 2,000 rows explained
    winnow   as Winnow works: five nets, every training row explained by the net that never saw it

Measured in whole: reading, scaling. In part: DataFrame.corr on some rows (its time grows with them at least linearly),
an epoch or some of one net, GradientExplainer on some rows. The memory of the parts that were left out is not claimed.
"""

from argparse import Namespace

import numpy as np
import pandas as pd
import shap
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler

from benchmarks.peers.net import Trainer, measured_epochs
from benchmarks.peers.sides import ID, LABEL, POLICY, Sides, add_epochs, arguments, split
from benchmarks.stages import stage
from config.sections import PruneSettings
from jobs.net.training import TrainingPlan

EXPLAINED_ROWS = 2000  # of the origin
_BACKGROUND_ROWS = 100


def main() -> None:
    """Run the recipe."""
    parser = arguments(__doc__ or "")
    add_epochs(parser)
    parser.add_argument("--corr-rows", type=int, default=2000, help="rows of DataFrame.corr (default: %(default)s)")
    parser.add_argument("--explain-rows", type=int, default=100, help="rows to explain (default: %(default)s)")
    options = parser.parse_args()
    with stage("read"):
        frame = pd.read_parquet(options.drop)
        y = frame.pop(LABEL).to_numpy(np.float32)
        frame = frame.drop(columns=ID)
    with stage("scale"):
        sides = split(y)
        frame = _scale(frame, sides)
    frame = _drop_twins(frame, sides, options.corr_rows)
    with stage("tensor"):
        X = torch.tensor(frame.to_numpy(), dtype=torch.float32)
    _learn_and_explain(X, y, sides, options)


def _scale(frame: pd.DataFrame, sides: Sides) -> pd.DataFrame:
    scaler = MinMaxScaler().fit(frame.iloc[sides.train])
    return pd.DataFrame(scaler.transform(frame), columns=frame.columns)


def _drop_twins(frame: pd.DataFrame, sides: Sides, n_rows: int) -> pd.DataFrame:
    rows = sides.train[:n_rows]
    with stage("correlate", **dict.fromkeys(("origin", "winnow"), len(rows) / len(sides.train))) as facts:
        correlation = frame.iloc[rows].corr().abs()
        facts["rows"] = len(rows)
    with stage("prune") as facts:
        upper = correlation.where(np.triu(np.ones(correlation.shape, dtype=bool), k=1))
        twins = upper.columns[(upper > PruneSettings().correlation).any()]
        kept = frame.drop(columns=twins)
        facts["kept"] = kept.shape[1]
    return kept


def _learn_and_explain(X: torch.Tensor, y: NDArray[np.float32], sides: Sides, options: Namespace) -> None:
    trainer = Trainer(X, torch.from_numpy(y), TrainingPlan(), fused=False)
    trainer.warm_up(sides.seen, sides.valid)
    count = measured_epochs(len(sides.seen))
    shares = {
        "origin": count * len(sides.seen) / (len(sides.train) * options.epochs),
        "winnow": count / (options.epochs * POLICY.folds),
    }
    with stage("train", **shares) as facts:
        facts["valid_loss"] = trainer.run_epochs(count, sides.seen, sides.valid)
    background = np.random.default_rng(POLICY.seed).choice(sides.seen, _BACKGROUND_ROWS, replace=False)
    explainer = shap.GradientExplainer(trainer.net, X[background])  # pyright: ignore[reportArgumentType]
    explainer.shap_values(X[:2])
    rows = sides.held_out[: options.explain_rows]
    whole = {"origin": EXPLAINED_ROWS, "winnow": len(sides.train)}
    with stage("explain", **{protocol: len(rows) / n for protocol, n in whole.items()}) as facts:
        values = explainer.shap_values(X[rows])
        facts |= {"rows": len(rows), "mean_abs": float(np.abs(values).mean())}


if __name__ == "__main__":
    main()
