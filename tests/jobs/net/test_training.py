"""Training one net: what it starts from, what it stops at, what it can learn."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import roc_auc_score

from jobs.errors import Abandoned
from jobs.net import training
from jobs.net.averaging import EpochMean
from jobs.net.codes import codes_gradient
from jobs.net.linear import LinearModel, fit_ridge
from jobs.net.resnet import BodyShape
from jobs.net.tasks import binary_loss
from jobs.net.training import Epoch, Net, TrainingPlan, train_net
from tests.jobs.tables import counts, csr_of, draw_labels

PLAN = TrainingPlan(BodyShape(n_blocks=1, d_block=16), epochs=5, patience=3, learning_rate=3e-3, code_penalty=1.0)


def noise_table() -> tuple:
    Z = counts(1, 900, 40)
    y = draw_labels(Z.toarray()[:, :3].sum(axis=1) - 1, 2)
    return Z, y, np.arange(600), np.arange(600, 900)


def exclusive_table() -> tuple:
    """Either of two things, but not both: no linear model sees it."""
    random = np.random.default_rng(5)
    dense = (random.random((3000, 12)) < 0.5).astype(np.float32)
    y = draw_labels(4.0 * (dense[:, 0] != dense[:, 1]) - 2, 6)
    return csr_of(dense), y, np.arange(2000), np.arange(2000, 3000)


def trained(table: tuple, plan: TrainingPlan, seen: list[Epoch] | None = None) -> Net:
    Z, y, train, valid = table
    linear = fit_ridge(Z, y, train, 0.1)
    return train_net(Z, y, train, valid, linear, plan, [].append if seen is None else seen.append)


def valid_loss(net: Net, table: tuple) -> float:
    Z, y, _, valid = table
    return float(binary_loss(net.logits(Z, valid), y[valid]).mean())


def test_before_training_the_net_is_the_linear_model_exactly() -> None:
    table = noise_table()
    net = trained(table, replace(PLAN, epochs=0))
    np.testing.assert_array_equal(net.logits(table[0], table[3]), net.linear.logits(table[0], table[3]))
    assert [epoch.number for epoch in net.history] == [0]
    assert net.history[0].valid_loss == pytest.approx(valid_loss(net, table), abs=1e-12)


def test_the_net_is_returned_as_it_was_at_its_best_epoch() -> None:
    table = noise_table()
    net = trained(table, replace(PLAN, epochs=12, patience=6, learning_rate=2e-2, code_penalty=1.0))
    losses = [epoch.valid_loss for epoch in net.history]
    assert net.best_epoch == int(np.argmin(losses)) < len(losses) - 1  # it went on after its best, in vain
    assert valid_loss(net, table) == pytest.approx(min(losses), abs=1e-9)
    assert min(losses) < losses[-1] - 1e-4


def test_training_stops_when_patience_ends() -> None:
    net = trained(noise_table(), replace(PLAN, epochs=40, patience=2, learning_rate=2e-2, code_penalty=1.0))
    assert net.history[-1].number == net.best_epoch + 2 < 40


def test_every_epoch_is_told_and_numbered() -> None:
    seen: list[Epoch] = []
    net = trained(noise_table(), PLAN, seen)
    assert tuple(seen) == net.history[1:]
    assert [epoch.number for epoch in seen] == list(range(1, len(seen) + 1))


def test_two_trainings_of_one_seed_are_one() -> None:
    table = noise_table()
    one, same, other = (trained(table, replace(PLAN, seed=seed)) for seed in (1, 1, 2))
    assert one.history == same.history
    np.testing.assert_array_equal(one.W, same.W)
    np.testing.assert_array_equal(one.logits(table[0], table[3]), same.logits(table[0], table[3]))
    assert one.history != other.history


def test_rows_of_neither_side_are_not_touched() -> None:
    Z, y, train, valid = noise_table()
    poisoned = Z.copy()
    poisoned.data[poisoned.indptr[550] : poisoned.indptr[600]] = np.nan
    labels = y.copy()
    labels[550:600] = np.nan
    clean = trained((Z, y, train[:550], valid), PLAN)
    same = trained((poisoned, labels, train[:550], valid), PLAN)
    assert clean.history == same.history


def test_the_net_learns_an_interaction_that_no_linear_model_sees() -> None:
    table = exclusive_table()
    Z, y, _, valid = table
    net = trained(table, replace(PLAN, epochs=25, patience=25, learning_rate=1e-2))
    assert roc_auc_score(y[valid], net.linear.logits(Z, valid)) < 0.6
    assert roc_auc_score(y[valid], net.logits(Z, valid)) > 0.8
    assert net.history[net.best_epoch].valid_loss < net.history[0].valid_loss - 0.15


def test_columns_of_noise_all_but_lose_their_codes_and_those_of_an_interaction_keep_them() -> None:
    net = trained(exclusive_table(), replace(PLAN, epochs=40, patience=40, learning_rate=1e-2, code_penalty=1.0))
    norm = np.linalg.norm(net.W, axis=1)
    assert norm[:2].min() > 20 * norm[2:].max()
    assert (norm[2:] < norm[:2].min() / 50).sum() >= 5


def test_the_lasso_holds_codes_of_noise_at_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the weights as they are; the mean over an epoch of a code that it let go once is not zero."""
    monkeypatch.setattr(EpochMean, "in_place", lambda _: nullcontext())
    net = trained(exclusive_table(), replace(PLAN, epochs=40, patience=40, learning_rate=1e-2, code_penalty=1.0))
    norm = np.linalg.norm(net.W, axis=1)
    assert norm[:2].min() > 5 * norm[2:].max()
    assert (norm[2:] == 0).sum() >= 5


def test_a_loss_that_is_no_number_ends_the_training_with_its_epoch() -> None:
    Z, y, train, valid = noise_table()
    broken = LinearModel(np.full(40, np.nan, np.float32), 0.0)
    with pytest.raises(FloatingPointError, match="epoch 1: training loss nan"):
        train_net(Z, y, train, valid, broken, PLAN, [].append)


def test_a_diverging_learning_rate_is_told() -> None:
    plan = replace(PLAN, optimizer="sgd", learning_rate=1e30, epochs=20, patience=20)
    with pytest.raises(FloatingPointError, match=r"epoch \d+: training loss"):
        trained(noise_table(), plan)


def test_who_watches_may_end_the_training() -> None:
    def stop(epoch: Epoch) -> None:
        raise Abandoned(f"after epoch {epoch.number}")

    Z, y, train, valid = noise_table()
    with pytest.raises(Abandoned, match="after epoch 1"):
        train_net(Z, y, train, valid, fit_ridge(Z, y, train, 0.1), PLAN, stop)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_lowers_the_training_loss(optimizer: str) -> None:
    rate = 0.3 if optimizer == "sgd" else 1e-2
    net = trained(exclusive_table(), replace(PLAN, epochs=8, patience=8, optimizer=optimizer, learning_rate=rate))
    assert net.history[-1].train_loss < net.history[1].train_loss - 0.01


@pytest.mark.parametrize("weight", [1.0, 5.0])
def test_positives_weigh_in_what_is_learned_and_in_what_judges_it(weight: float) -> None:
    table = noise_table()
    Z, y, train, valid = table
    net = trained(
        table, replace(PLAN, epochs=1, class_weights=(1.0, weight), judged_by=(1.0, weight), learning_rate=1e-12)
    )  # stands still
    of_train, of_valid = (
        (binary_loss(net.linear.logits(Z, rows), y[rows]) * np.where(y[rows] == 1, weight, 1)).mean()
        for rows in (train, valid)
    )
    for epoch in net.history:
        assert epoch.train_loss == pytest.approx(of_train, rel=1e-5)
        assert epoch.valid_loss == pytest.approx(of_valid, rel=1e-5)


@pytest.mark.parametrize(("n_rows", "size"), [(10, 64), (3200, 64), (6400, 128), (20_000, 512), (10**7, 1024)])
def test_minibatches_grow_with_the_table(n_rows: int, size: int) -> None:
    assert TrainingPlan().batch_rows(n_rows) == size
    assert TrainingPlan(batch_size=7).batch_rows(n_rows) == 7


def test_a_large_table_is_judged_several_times_a_pass_and_every_row_is_visited_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visited = []

    def record(Z: csr_array, rows: np.ndarray, G: np.ndarray) -> np.ndarray:
        visited.append(rows)
        return codes_gradient(Z, rows, G)

    monkeypatch.setattr(training, "_EPOCH_ROWS", 200)
    monkeypatch.setattr(training, "codes_gradient", record)
    table = noise_table()
    trained(table, replace(PLAN, epochs=4, patience=4, batch_size=50))
    assert [len(rows) for rows in visited] == [50] * 16  # three epochs a pass, and one more
    np.testing.assert_array_equal(np.sort(np.concatenate(visited[:12])), table[2])
    assert len(np.unique(np.concatenate(visited[12:]))) == 200


@pytest.mark.parametrize(
    ("n_train", "n_valid", "epochs"), [(600, 300, 16), (9000, 1000, 8), (64_000, 10_000, 4), (560_000, 100_000, 18)]
)
def test_patience_grows_where_validation_rows_are_few_and_where_a_pass_is_long(
    n_train: int, n_valid: int, epochs: int
) -> None:
    assert TrainingPlan().patience_epochs(n_train, n_valid, best_epoch=2) == epochs
    assert TrainingPlan(patience=3).patience_epochs(n_train, n_valid, best_epoch=2) == 3


def test_a_large_table_gets_more_patience_before_the_first_gain() -> None:
    assert TrainingPlan().patience_epochs(128_000, 20_000, best_epoch=0) == 8  # four passes
    assert TrainingPlan().patience_epochs(128_000, 20_000, best_epoch=1) == 4
    assert TrainingPlan().patience_epochs(600, 300, best_epoch=0) == 16
