"""Encoders that read the order of a sequence."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from jobs.data.items import Ordered
from jobs.net.encoders import Encoder, EncoderShape, encode, explain_items, train_encoder
from jobs.net.tasks import BINARY, REGRESSION, Task
from tests.jobs.tables import draw_labels

KINDS = ("lstm", "attention")
ROWS, VALID, TEST = np.arange(3000), np.arange(3000, 3500), np.arange(3500, 5000)


def shape_of(kind: str) -> EncoderShape:
    return EncoderShape(kind, d_item=8, d_hidden=16, n_layers=1, dropout=0.1, d_out=4)


def drawn(n_rows: int, longest: int, n_items: int = 9, seed: int = 3) -> Ordered:
    """Rows of 0 to `longest` items."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, longest + 1, n_rows)
    items = random.integers(1, n_items + 1, lengths.sum()).astype(np.int32)
    return Ordered("path", np.concatenate([[0], np.cumsum(lengths)]), items, n_items, longest)


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_encoder_says_of_a_row_depends_on_this_row_alone(kind: str) -> None:
    ordered = drawn(700, 12)
    encoder = Encoder(shape_of(kind), 9, 12, 1).eval()
    together, order = encode(encoder, ordered, np.arange(700)), np.random.default_rng(1).permutation(700)
    np.testing.assert_allclose(encode(encoder, ordered, order), together[order], atol=1e-5)
    for row in range(0, 700, 97):
        np.testing.assert_allclose(encode(encoder, ordered, np.array([row])), together[[row]], atol=1e-5)
    assert not together[np.diff(ordered.indptr) == 0].any()
    assert np.abs(together[np.diff(ordered.indptr) > 0]).max(axis=1).min() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_items_add_up_to_what_is_said_beyond_as_many_unknown_items(kind: str) -> None:
    ordered, rows = drawn(300, 7), np.arange(299, -1, -2)
    encoder = Encoder(shape_of(kind), 9, 7, 1).eval().requires_grad_(requires_grad=False)
    worth = np.random.default_rng(2).normal(size=(len(rows), 4)).astype(np.float32)
    of_items = explain_items(encoder, ordered, rows, worth, 64)
    lengths = np.diff(ordered.indptr)[rows]
    summed = np.bincount(np.repeat(np.arange(len(rows)), lengths), of_items, minlength=len(rows))
    unknown = Encoder(shape_of(kind), 9, 7, 1).eval()
    unknown.load_state_dict(encoder.state_dict())
    unknown.items.weight.data[:] = 0
    beyond = encode(encoder, ordered, rows) - encode(unknown, ordered, rows)
    np.testing.assert_allclose(summed, (beyond * worth).sum(axis=1), atol=2e-4 if kind == "lstm" else 0.05)
    assert np.abs(summed).mean() > 0.01


def test_the_state_of_an_lstm_is_what_torch_says() -> None:
    ordered = drawn(40, 6)
    encoder = Encoder(shape_of("lstm"), 9, 6, 1).eval()
    for row in np.flatnonzero(np.diff(ordered.indptr)):
        items = torch.from_numpy(ordered.items[ordered.indptr[row] : ordered.indptr[row + 1]].astype(np.int64))
        with torch.inference_mode():
            _, (last, _) = encoder.states(encoder.items(items)[None])
            wanted = encoder.out(last[0])
        np.testing.assert_allclose(encode(encoder, ordered, np.array([row])), wanted, atol=1e-5)


def fitted(kind: str, ordered: Ordered, y: np.ndarray, task: Task = BINARY, seed: int = 5, epochs: int = 25) -> Encoder:
    offset = np.zeros((len(y), task.n_outputs) if task.n_outputs > 1 else len(y))
    return train_encoder(
        ordered, offset, y, ROWS, VALID, shape_of(kind),
        task=task, class_weights=(), epochs=epochs, seed=seed, on_epoch=lambda: None,
    )  # fmt: skip


def readable(said: np.ndarray, y: np.ndarray) -> float:
    """AUC of the best linear reading of what is said."""
    A = np.column_stack([said, np.ones(len(said))]).astype(np.float64)
    w = np.linalg.lstsq(A[ROWS], y[ROWS], rcond=None)[0]
    return float(roc_auc_score(y[TEST], A[TEST] @ w))


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_that_shares_cannot_tell_is_learned(kind: str) -> None:
    """Items 1 and 2 are in every row once; which of them comes first decides."""
    random = np.random.default_rng(8)
    items = np.concatenate([random.permutation([1, 2, 3, 4, 5, 6]) for _ in range(5000)]).astype(np.int32)
    ordered = Ordered("path", np.arange(0, 30_001, 6), items, 6, 6)
    table = items.reshape(-1, 6)
    first = (table == 1).argmax(axis=1) < (table == 2).argmax(axis=1)
    y = draw_labels(4.0 * first - 2, 9)
    encoder = fitted(kind, ordered, y)
    said = encode(encoder, ordered, np.arange(5000))
    assert readable(said, y) > 0.84  # the best possible: .88
    spans = np.ptp(said[ROWS], axis=0)
    np.testing.assert_allclose(spans[spans > 0], 1, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_depends_on_its_seed_alone(kind: str) -> None:
    ordered, y = drawn(5000, 5), draw_labels(np.zeros(5000), 1)
    one, same, other = (encode(fitted(kind, ordered, y, seed=seed, epochs=2), ordered, TEST) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_rows_that_neither_train_nor_stop_change_nothing() -> None:
    ordered, y = drawn(5000, 5), draw_labels(np.zeros(5000), 1)
    flipped = y.copy()
    flipped[TEST] = 1 - flipped[TEST]
    one, two = (encode(fitted("lstm", ordered, labels, epochs=2), ordered, TEST) for labels in (y, flipped))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("task", [Task("multiclass", 3), REGRESSION])
def test_every_task_has_encoders(task: Task) -> None:
    ordered = drawn(5000, 5, n_items=3)
    last = np.array(
        [
            ordered.items[end - 1] if end > start else 1
            for start, end in zip(ordered.indptr, ordered.indptr[1:], strict=False)
        ]
    )
    y = (last - 1).astype(np.float32)
    said = encode(fitted("lstm", ordered, y, task), ordered, np.arange(5000))
    assert readable(said, (y == 2).astype(np.float32)) > 0.95


def test_a_loss_that_is_not_finite_is_told_with_the_column() -> None:
    ordered, y = drawn(5000, 5), np.full(5000, 1e30, np.float32)
    with pytest.raises(FloatingPointError, match=r"epoch 1 of the encoder of 'path'"):
        fitted("lstm", ordered, y * np.float32(np.inf), REGRESSION, epochs=1)
