"""Cross-fitting: one net a fold, each judged only on the fold that it never saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.design import append_codes
from jobs.data.items import Ordered
from jobs.data.resampling import resample
from jobs.data.split import FEW_ROWS, Rows, Split
from jobs.net.encoders import Encoder, encode, train_encoder
from jobs.net.linear import LinearModel, fit_adaptive_ridge
from jobs.net.tasks import BINARY, Task
from jobs.net.threads import side_by_side
from jobs.net.training import Net, TrainingPlan, train_net
from jobs.selection.calibration import Calibration, calibrate, fit_shift
from jobs.selection.gain import Evidence, held_out_evidence
from jobs.selection.held_out import Saying
from jobs.selection.interactions import interacting_codes
from jobs.selection.neighbours import normal_scores

_GAIN_NODES = 4
_OUTERMOST = (0.01, 0.99)  # quantiles of what is left


@dataclass(frozen=True, slots=True)
class Fold:
    """One net and the rows that it never saw.

    Attributes:
        net: trained on `seen`.
        encoders: trained on `seen` before it, by column of sequences.
        design: what the net reads: the columns with what the encoders say.
        seen: its training rows.
        held_out: the rows of its fold, and its share of the validation rows.
        calibration: of its logits on the held-out rows; where periods differ (split.py), with the intercept of the
            latest one, since later rows are to be predicted.
        said: (n_held_out,) or (n_held_out, n_outputs) what the net, calibrated on them all, says of them.
    """

    net: Net
    encoders: Mapping[str, Encoder]
    design: Design
    seen: Rows
    held_out: Rows
    calibration: Calibration
    said: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The nets of all folds, used together on rows that none of them saw.

    Attributes:
        folds: the nets.
        task: what they predict.
    """

    folds: tuple[Fold, ...]
    task: Task = BINARY

    def logits(self, rows: Rows) -> NDArray[np.float64]:
        """(len(rows),) or (len(rows), n_outputs) mean calibrated logits, or values, of the nets."""
        return np.mean([fold.calibration.apply(fold.net.logits(fold.design.Z, rows)) for fold in self.folds], axis=0)

    def linear_logits(self, rows: Rows) -> NDArray[np.float64]:
        """(len(rows),) or (len(rows), n_outputs) mean of the linear models that the nets stand on, not calibrated."""
        return np.mean([fold.net.linear.logits(fold.design.Z, rows) for fold in self.folds], axis=0)

    def as_of(self, rows: Rows, y: NDArray[np.float32]) -> "Ensemble":
        """Return the same nets, right in the mean on these rows of labels `y` (n_rows,)."""
        shift = fit_shift(self.logits(rows), y[rows], self.task)
        moved = (replace(fold, calibration=fold.calibration.shifted(shift)) for fold in self.folds)
        return Ensemble(tuple(moved), self.task)


def cross_fit(
    design: Design,
    plain: Design,
    y: NDArray[np.float32],
    split: Split,
    strengths: Sequence[float],
    plan: TrainingPlan,
    threads: int,
    on_epoch: Callable[[int], None],
    ordered: Sequence[Ordered] = (),
) -> Ensemble:
    """Train one net for each fold of the training rows, side by side.

    Each net computes on one thread, so what it becomes does not depend on how many train beside it. Columns that act
    together, as its own training rows show, are pointed out to it.

    Args:
        design: input of the nets.
        plain: the same columns without knots, among which those that act together are looked for.
        y: (n_rows,) labels.
        split: its folds, and the validation rows of early stopping.
        strengths: C of each round of the ridge that each net stands on.
        plan: how to train; fold k adds k to the seed.
        threads: nets that train at a time.
        on_epoch: called with the fold's number (0 = first) after each epoch of its net, or of an encoder, from the
            thread of that fold; may raise to abandon: the other folds then end at their next epoch.
        ordered: the items of the columns whose order the plan wants read.

    Raises:
        FloatingPointError: the loss of a net diverged.
    """
    task = plan.task

    def fit(number: int) -> Fold:
        seen, held_out = split.training_rows_of(number), split.held_out_rows_of(number)
        own = replace(plan, seed=plan.seed + number)
        encoders, read = _encoded(design, ordered, y, seen, split.valid, strengths, own, partial(on_epoch, number))
        Z, label, rows = resample(read.Z, y, seen, own.resampling, own.seed)
        linear = fit_adaptive_ridge(Z, label, rows, strengths, plan.class_weights, task=task)
        awake = awake_codes(read, plain, y, seen, linear, task)
        factored = read.codes_of(plan.factorise)
        net = train_net(Z, label, rows, split.valid, linear, own, lambda _: on_epoch(number), awake, factored)
        if task.n_outputs > 1:
            net = net.centred(np.bincount(y[seen].astype(np.int64), minlength=task.n_classes) / len(seen))
        said = net.logits(read.Z, held_out)
        calibration = calibrate(said, y[held_out], task)
        return Fold(net, encoders, read, seen, held_out, calibration, calibration.apply(said))

    ensemble = Ensemble(tuple(side_by_side(fit, range(len(split.folds)), threads)), task)
    return ensemble.as_of(split.valid, y) if split.has_periods else ensemble


def _encoded(
    design: Design,
    ordered: Sequence[Ordered],
    y: NDArray[np.float32],
    seen: Rows,
    valid: Rows,
    strengths: Sequence[float],
    plan: TrainingPlan,
    on_epoch: Callable[[], None],
) -> tuple[dict[str, Encoder], Design]:
    """The encoders of a fold, each trained on what the linear model of all before it leaves, and what its net reads."""
    encoders: dict[str, Encoder] = {}
    for each in ordered:
        linear = fit_adaptive_ridge(design.Z, y, seen, strengths, plan.class_weights, task=plan.task)
        encoders[each.name] = train_encoder(
            each,
            linear.logits(design.Z, np.arange(len(y))),
            y,
            seen,
            valid,
            plan.encoders[each.name],
            task=plan.task,
            class_weights=plan.class_weights,
            epochs=plan.epochs,
            seed=plan.seed,
            on_epoch=on_epoch,
        )
        design = read_order(design, [each], encoders)
    return encoders, design


def read_order(design: Design, ordered: Sequence[Ordered], encoders: Mapping[str, Encoder]) -> Design:
    """Return the design with what encoders say of every row."""
    for each in ordered:
        rows = np.arange(len(each.indptr) - 1)
        design = append_codes(design, each.name, encode(encoders[each.name], each, rows))
    return design


def awake_codes(
    design: Design, plain: Design, y: NDArray[np.float32], rows: Rows, linear: LinearModel, task: Task
) -> NDArray[np.int64]:
    """Return the codes that act together with others on any output, beyond what the linear model says of these rows.

    Args:
        design: input of the net.
        plain: the same columns without knots, among which they are looked for.
        y: (n_rows,) labels.
        rows: those that the net is to learn from.
        linear: what the net is to stand on.
        task: what the label is.
    """
    said, found = linear.logits(design.Z, rows), [np.zeros(0, np.int64)]
    for output in range(task.n_outputs):
        f, label = task.one_output(said, output), task.one_label(y, output)
        found.append(interacting_codes(plain, label, rows, f, task.family(f, label[rows])))
    return design.plain_codes[np.unique(np.concatenate(found))]


def tested_outputs(ensemble: Ensemble, y: NDArray[np.float32]) -> list[int]:
    """Return the outputs that columns are tested on: of several classes those with rows enough on both sides."""
    if ensemble.task.n_outputs == 1:
        return [0]
    return testable_classes(y[np.concatenate([fold.held_out for fold in ensemble.folds])], ensemble.task.n_classes)


def testable_classes(y: NDArray[np.float32], n_classes: int) -> list[int]:
    """Return the classes that have rows enough, and leave enough to others, among labels `y` (n,)."""
    counts = np.bincount(y.astype(np.int64), minlength=n_classes)
    return np.flatnonzero(np.minimum(counts, len(y) - counts) >= FEW_ROWS).tolist()


def label_to_test(ensemble: Ensemble, y: NDArray[np.float32], output: int = 0) -> NDArray[np.float32]:
    """Return (n_rows,) the label that columns are tested on: of a class, whether a row has it; of numbers, tamed ones.

    What the nets leave of a number is replaced by its normal scores among rows of which they say about the same
    (neighbours.py), in units that leave its regression on what was left, but for the outermost rows, as it is: 1.
    """
    if ensemble.task.kind != "regression":
        return ensemble.task.one_label(y, output)
    rows, f = (np.concatenate([getattr(fold, name) for fold in ensemble.folds]) for name in ("held_out", "said"))
    left = y[rows] - f
    scores, middle = normal_scores(f, left), np.clip(left, *np.quantile(left, _OUTERMOST))
    tamed = y.copy()
    tamed[rows] = f + scores * float(middle.var() / max(scores @ (middle - middle.mean()) / len(left), 1e-12))
    return tamed


def collect_evidence(
    ensemble: Ensemble,
    tested: Design,
    label: NDArray[np.float32],
    y: NDArray[np.float32],
    threads: int,
    on_fold: Callable[[], None],
    output: int = 0,
    factor: NDArray[np.float64] | None = None,
) -> list[Evidence]:
    """Held-out evidence of every fold about one output.

    Args:
        ensemble: the cross-fitted nets.
        tested: the columns as they are tested.
        label: (n_rows,) that is tested, from label_to_test.
        y: (n_rows,) that the nets learned.
        threads: folds at a time.
        on_fold: called after each, and may raise to abandon.
        output: which.
        factor: (n_rows,) what most columns have in common; None: nothing.
    """

    def collect(fold: Fold) -> Evidence:
        saying = saying_of(fold, y, ensemble.task, output, label)
        net, rows = fold.net.of_output(output), fold.held_out
        evidence = held_out_evidence(net, saying, fold.design, tested, label, rows, fold.seen, _GAIN_NODES, factor)
        on_fold()
        return evidence

    return side_by_side(collect, ensemble.folds, threads)


def saying_of(fold: Fold, y: NDArray[np.float32], task: Task, output: int, label: NDArray[np.float32]) -> Saying:
    """Return what the net of a fold, calibrated, says of one output, labelled so, on the rows that it never saw."""
    rows = fold.held_out
    of_linear = fold.net.linear.logits(fold.design.Z, rows)
    of_linear = calibrate(of_linear, y[rows], task).apply(of_linear)
    f, linear = task.one_output(fold.said, output), task.one_output(of_linear, output)
    slope = fold.calibration.slope
    if task.n_outputs > 1:  # the logit against the mean of all, centred as it is, is so much of that against the others
        slope /= 1 - float(label[fold.seen].mean())
    return Saying(slope, f, linear, task.family(f, label[rows]))
