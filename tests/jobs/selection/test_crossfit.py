"""Cross-fitting: who saw what, whatever the number of threads; and who may end it."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from time import monotonic

import numpy as np
import pytest

from jobs.data.dataset import Design
from jobs.data.split import Split, SplitPolicy, split_rows
from jobs.errors import Abandoned
from jobs.net.linear import fit_ridge
from jobs.net.resnet import BodyShape
from jobs.net.tasks import sigmoid
from jobs.net.training import TrainingPlan, train_net
from jobs.selection.crossfit import Ensemble, collect_evidence, cross_fit
from tests.jobs.tables import counts, dataset_of, draw_labels, mixed_design

PLAN = TrainingPlan(BodyShape(n_blocks=1, d_block=8), epochs=3, patience=3, code_penalty=0.5)


def table() -> tuple:
    X = counts(1, 600, 20)
    y = draw_labels(X.toarray()[:, :4].sum(axis=1) - 1.5, 2)
    split: Split = split_rows(dataset_of(X, y), SplitPolicy(folds=4))
    return mixed_design(X, (), split.train), y, split


def fitted(
    design: Design,
    y: np.ndarray,
    split: Split,
    threads: int,
    on_epoch: Callable[[int], None],
    plan: TrainingPlan = PLAN,
) -> Ensemble:
    return cross_fit(design, design, y, split, (0.1,), plan, threads, on_epoch)


def test_each_net_is_trained_without_its_fold_and_with_a_seed_of_its_own() -> None:
    design, y, split = table()
    ensemble = fitted(design, y, split, 2, lambda *_: None)
    assert len(ensemble.folds) == 4
    for number, fold in enumerate(ensemble.folds):
        np.testing.assert_array_equal(fold.held_out, split.held_out_rows_of(number))
        np.testing.assert_array_equal(fold.seen, split.training_rows_of(number))
        linear = fit_ridge(design.Z, y, fold.seen, 0.1)
        alone = train_net(
            design.Z, y, fold.seen, split.valid, linear, replace(PLAN, seed=PLAN.seed + number), [].append
        )
        assert fold.net.history == alone.history
        np.testing.assert_array_equal(fold.net.W, alone.W)


def test_later_rows_are_predicted_as_the_latest_known_ones_are_and_the_folds_judged_as_they_were() -> None:
    X = counts(1, 2000, 20)
    y = draw_labels(X.toarray()[:, :4].sum(axis=1) - np.linspace(0, 4, 2000), 2)
    design = mixed_design(X, (), np.arange(2000))
    split = split_rows(replace(dataset_of(X, y), time=np.arange(2000)), SplitPolicy(by="time", folds=4))
    ensemble = fitted(design, y, split, 2, lambda *_: None)
    assert sigmoid(ensemble.logits(split.valid)).mean() == pytest.approx(y[split.valid].mean(), abs=1e-4)
    assert abs(sigmoid(ensemble.logits(split.test)).mean() - y[split.test].mean()) < 0.08  # .2 as they were
    for fold in ensemble.folds:
        assert sigmoid(fold.said).mean() == pytest.approx(y[fold.held_out].mean(), abs=1e-3)


def test_labels_of_the_fold_do_not_reach_its_net() -> None:
    design, y, split = table()
    other = y.copy()
    other[split.folds[0]] = 1 - other[split.folds[0]]
    one, two = (fitted(design, labels, split, 2, lambda *_: None).folds for labels in (y, other))
    assert one[0].net.history == two[0].net.history
    assert one[1].net.history != two[1].net.history
    assert one[0].calibration != two[0].calibration


def test_the_ensemble_is_the_mean_of_calibrated_logits() -> None:
    design, y, split = table()
    ensemble = fitted(design, y, split, 2, lambda *_: None)
    each = [f.calibration.slope * f.net.logits(design.Z, split.test) + f.calibration.intercept for f in ensemble.folds]
    np.testing.assert_allclose(ensemble.logits(split.test), sum(each) / 4, rtol=1e-12)


def test_evidence_is_one_a_fold_over_its_held_out_rows() -> None:
    design, y, split = table()
    ensemble = fitted(design, y, split, 2, lambda *_: None)
    told: list[None] = []
    evidence = collect_evidence(ensemble, design, y, y, 2, lambda: told.append(None))
    assert [len(fold.held_out.rows) for fold in evidence] == [len(split.held_out_rows_of(k)) for k in range(4)]
    assert len(told) == 4


def test_every_epoch_of_every_fold_is_told() -> None:
    design, y, split = table()
    told: list[int] = []
    ensemble = fitted(design, y, split, 2, told.append)
    wanted = [k for k, fold in enumerate(ensemble.folds) for _ in fold.net.history[1:]]
    assert sorted(told) == sorted(wanted)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_abandoned_training_ends_at_once_and_says_so(threads: int) -> None:
    design, y, split = table()
    lock, told = Lock(), list[int]()

    def stop(fold: int) -> None:
        with lock:
            told.append(fold)
            if len(told) >= 2:
                raise Abandoned(f"in fold {fold}")

    endless = replace(PLAN, epochs=100_000, patience=100_000)
    begun = monotonic()
    with pytest.raises(Abandoned, match="in fold"):
        fitted(design, y, split, threads, stop, endless)
    assert monotonic() - begun < 10
    assert len(told) <= 1 + threads  # each fold that was under way hears of it once; the others never begin


def test_an_error_of_one_net_is_not_swallowed() -> None:
    design, y, split = table()

    def fail(fold: int) -> None:
        if fold == 3:
            raise FloatingPointError("epoch 1: training loss nan")

    with pytest.raises(FloatingPointError, match="training loss nan"):
        fitted(design, y, split, 2, fail)
