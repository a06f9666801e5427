"""Cross-fitting: one net a fold, each judged only on the fold that it never saw."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows, Split
from jobs.net.linear import fit_ridge
from jobs.net.threads import side_by_side
from jobs.net.training import Epoch, Net, TrainingPlan, train_net
from jobs.selection.calibration import Calibration, calibrate
from jobs.selection.gain import Evidence, held_out_evidence
from jobs.selection.interactions import interacting_codes

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
    threads: int,
    on_epoch: Callable[[int, Epoch], None],
) -> Ensemble:
    """Train one net for each fold of the training rows, side by side.

    Each net computes on one thread, so what it becomes does not depend on how many train beside it. Columns that act
    together, as its own training rows show, are pointed out to it.

    Args:
        design: input of the nets.
        y: (n_rows,) labels.
        split: its folds, and the validation rows of early stopping.
        strength: C of the linear model that each net stands on.
        plan: how to train; fold k adds k to the seed.
        threads: nets that train at a time.
        on_epoch: called with the fold's number (0 = first) and each finished epoch, from the thread of that fold; may
            raise to abandon: the other folds then end at their next epoch.

    Raises:
        FloatingPointError: the loss of a net diverged.
    """

    def fit(number: int) -> Fold:
        seen, held_out = split.training_rows_of(number), split.folds[number]
        linear = fit_ridge(design.Z, y, seen, strength, plan.positive_weight)
        own = replace(plan, seed=plan.seed + number)
        awake = interacting_codes(design, y, seen, linear.logits(design.Z, seen))
        net = train_net(design.Z, y, seen, split.valid, linear, own, lambda epoch: on_epoch(number, epoch), awake)
        return Fold(net, seen, held_out, calibrate(net.logits(design.Z, held_out), y[held_out]))

    return Ensemble(tuple(side_by_side(fit, range(len(split.folds)), threads)))


def collect_evidence(
    ensemble: Ensemble, design: Design, y: NDArray[np.float32], threads: int, on_fold: Callable[[], None]
) -> list[Evidence]:
    """Held-out evidence of every fold; `on_fold` is called after each, and may raise to abandon."""

    def collect(fold: Fold) -> Evidence:
        evidence = held_out_evidence(fold.net, fold.calibration, design, y, fold.held_out, fold.seen, _GAIN_NODES)
        on_fold()
        return evidence

    return side_by_side(collect, ensemble.folds, threads)
