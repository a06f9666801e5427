"""Cross-fitting: one net a fold, each judged only on the fold that it never saw."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows, Split
from jobs.net.linear import fit_ridge
from jobs.net.training import Epoch, Net, TrainingPlan, train_net
from jobs.selection.calibration import Calibration, calibrate
from jobs.selection.gain import Evidence, held_out_evidence

_GAIN_NODES = 4


@dataclass(frozen=True, slots=True)
class Fold:
    """One net and the rows that it never saw.

    Attributes:
        net: trained on `seen`.
        seen: its training rows.
        held_out: the rows of its fold.
        calibration: of its logits on the held-out rows.
    """

    net: Net
    seen: Rows
    held_out: Rows
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The nets of all folds, used together on rows that none of them saw."""

    folds: tuple[Fold, ...]

    def logits(self, design: Design, rows: Rows) -> NDArray[np.float64]:
        """(len(rows),) mean calibrated logit of the nets."""
        return np.mean([fold.calibration.apply(fold.net.logits(design.Z, rows)) for fold in self.folds], axis=0)


def cross_fit(
    design: Design,
    y: NDArray[np.float32],
    split: Split,
    strength: float,
    plan: TrainingPlan,
    on_epoch: Callable[[int, Epoch], None],
) -> Ensemble:
    """Train one net for each fold of the training rows.

    Args:
        design: input of the nets.
        y: (n_rows,) labels.
        split: its folds, and the validation rows of early stopping.
        strength: C of the linear model that each net stands on.
        plan: how to train; fold k adds k to the seed.
        on_epoch: called with the fold's number (0 = first) and each finished epoch; may raise to abandon.
    """
    folds: list[Fold] = []
    for number, held_out in enumerate(split.folds):
        seen = split.training_rows_of(number)
        linear = fit_ridge(design.Z, y, seen, strength, plan.positive_weight)
        own_plan = replace(plan, seed=plan.seed + number)
        net = train_net(design.Z, y, seen, split.valid, linear, own_plan, lambda e, k=number: on_epoch(k, e))
        folds.append(Fold(net, seen, held_out, calibrate(net.logits(design.Z, held_out), y[held_out])))
    return Ensemble(tuple(folds))


def collect_evidence(ensemble: Ensemble, design: Design, y: NDArray[np.float32]) -> list[Evidence]:
    """Held-out evidence of every fold."""
    return [
        held_out_evidence(fold.net, fold.calibration, design, y, fold.held_out, fold.seen, _GAIN_NODES)
        for fold in ensemble.folds
    ]
