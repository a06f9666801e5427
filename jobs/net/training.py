# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""Training one net on one set of rows: warm start, minibatches, early stopping on the validation rows.

The net stands on a linear model: its skip coordinate is the ridge logistic solution of its own training rows and stays
frozen, the head of the deep body starts at zero. Epoch 0, the linear model alone, is a candidate of early stopping like
every other epoch: the deep part stays only where it pays on rows that did not train it. Judged, and kept, is the mean
of the weights over the steps of an epoch (averaging.py).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from jobs.data.split import Rows
from jobs.net.averaging import EpochMean
from jobs.net.backprop import Backprop
from jobs.net.codes import NO_CODES, CodeOptimizer, Matrix, codes_gradient, codes_of, initial_codes
from jobs.net.encoders import EncoderShape
from jobs.net.factors import Factors
from jobs.net.linear import LinearModel
from jobs.net.optimizers import optimizer_of
from jobs.net.resnet import Body, BodyShape
from jobs.net.tasks import BINARY, Task

_EVALUATION_ROWS = 8192
_EPOCH_ROWS = 65_536
_FEW_VALIDATION_ROWS, _MANY_VALIDATION_ROWS = 1000, 5000


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train.

    Attributes:
        shape: sizes of the body.
        epochs: at most so many passes over the training rows, or over 65,536 of them at a time where there are more:
            large tables are judged on the validation rows before a pass ends.
        patience: stop after so many epochs without a better validation loss; None: 16, 8 or 4, the fewer the validation
            rows the more, since few rows leave much noise in that loss, and at least two passes; as many passes, rather
            than epochs, before the deep part has gained anything.
        batch_size: rows of a minibatch; None: 64 to 1024, by the number of training rows.
        learning_rate, weight_decay, optimizer: of the body ("adamw", "adam", "sgd"); the codes share the learning rate.
        code_penalty: group lasso of the codes (see CodeOptimizer).
        class_weights: weight of the loss of each class; empty: all rows count the same.
        judged_by: weight of the validation loss of each class: the same, or what resampling makes of its share.
        resampling: of the rows that train, see jobs/data/resampling.py.
        task: what the label is.
        encoders: of columns of sequences whose order is read, by name (encoders.py).
        factorise: columns of the factorisation term (factors.py), as many as the shape says.
        seed: of initial weights, minibatches and dropout.
    """

    shape: BodyShape = field(default_factory=BodyShape)
    epochs: int = 40
    patience: int | None = None
    batch_size: int | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    optimizer: str = "adamw"
    code_penalty: float = 3.0
    class_weights: tuple[float, ...] = ()
    judged_by: tuple[float, ...] = ()
    resampling: str = "none"
    task: Task = BINARY
    encoders: Mapping[str, EncoderShape] = field(default_factory=dict[str, EncoderShape])
    factorise: tuple[str, ...] = ()
    seed: int = 17

    def patience_epochs(self, n_train: int, n_valid: int, best_epoch: int) -> int:
        """The patience with so many training and validation rows, when this epoch is the best so far."""
        by_noise = 16 if n_valid < _FEW_VALIDATION_ROWS else 8 if n_valid < _MANY_VALIDATION_ROWS else 4
        a_pass = self.epochs_a_pass(n_train)
        return self.patience or (max(by_noise, 2 * a_pass) if best_epoch else by_noise * a_pass)

    def epochs_a_pass(self, n_train: int) -> int:
        """In how many epochs so many training rows are visited once."""
        return max(1, round(n_train / _EPOCH_ROWS))

    def batch_rows(self, n_rows: int) -> int:
        """The minibatch for so many training rows: some 50 steps an epoch on small tables, 1024 rows on large ones."""
        return self.batch_size or min(1024, max(64, 2 ** round(math.log2(n_rows / 50))))


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch left: training loss with dropout, validation loss without, weighted by class, in nats per row."""

    number: int
    train_loss: float
    valid_loss: float


@dataclass(frozen=True, slots=True)
class Net:
    """A trained net: f(z) = linear(z) + body(z W).

    Attributes:
        linear: the frozen skip, on the columns of Z.
        W: (n_codes, d_code) codes, those of the factorisation term behind the others.
        body: of the deep part.
        history: one entry an epoch, epoch 0 (the linear model alone) first.
    """

    linear: LinearModel
    W: Matrix
    body: Body
    history: tuple[Epoch, ...]

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights these are; 0 when the linear model alone was best."""
        return _best(self.history)

    def logits(self, Z: csr_array, rows: Rows) -> NDArray[np.float64]:
        """Return (len(rows),) or (len(rows), n_outputs) logits of those rows of Z."""
        return self.linear.logits(Z, rows) + _deep_logits(self.body, Z, rows, self.W)

    def of_output(self, output: int) -> "Net":
        """Return the net of one output alone: what attributions and tests are about."""
        if self.linear.w.ndim == 1:
            return self
        return Net(self.linear.of_output(output), self.W, self.body.of_output(output), self.history)

    def centred(self, share: NDArray[np.float64]) -> "Net":
        """Return the net that gives the same probabilities with logits whose mean over classes is 0.

        The softmax does not see what all logits have in common, so training leaves any of it in: attributions and tests
        of one class would be about that too.

        Args:
            share: (n_outputs,) weight of each class in the mean; adds up to 1.
        """
        return Net(self.linear.centred(share), self.W, self.body.centred(share), self.history)


def train_net(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    linear: LinearModel,
    plan: TrainingPlan,
    on_epoch: Callable[[Epoch], None],
    awake: NDArray[np.int64] = NO_CODES,
    factored: Sequence[NDArray[np.int64]] = (),
) -> Net:
    """Train one net and return it as it was at its best epoch.

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels.
        train: positions of rows to learn from.
        valid: positions of rows that end the training early; no other row of Z or y is touched.
        linear: fitted on `train`; becomes the frozen skip.
        plan: sizes, steps, seed.
        on_epoch: called after each epoch; may raise to abandon the training.
        awake: codes that are known to act together with others; they begin large.
        factored: the codes of each column of the factorisation term, as many columns as the shape says.

    Raises:
        FloatingPointError: the loss is not finite any more.
    """
    trainer = _Trainer(Z, y, train, linear, plan, awake, factored)
    offset = linear.logits(Z, valid)
    of_train = _loss(plan.task, linear.logits(Z, train), y[train], plan.class_weights)
    history = [Epoch(0, of_train, _loss(plan.task, offset, y[valid], plan.judged_by))]
    best = trainer.state()
    while history[-1].number < min(plan.epochs, _end_of_patience(plan, history, len(train), len(valid))):
        train_loss = trainer.run_epoch()
        with trainer.mean.in_place():
            f, state = offset + _deep_logits(trainer.body, Z, valid, trainer.codes()), trainer.state()
        valid_loss = _loss(plan.task, f, y[valid], plan.judged_by)
        if not math.isfinite(train_loss + valid_loss):
            raise FloatingPointError(f"epoch {len(history)}: training loss {train_loss}, validation loss {valid_loss}")
        history.append(Epoch(len(history), train_loss, valid_loss))
        if _best(history) == history[-1].number:
            best = state
        on_epoch(history[-1])
    W, weights = best
    trainer.body.load_state_dict(weights)
    return Net(linear, W, trainer.body, tuple(history))


class _Trainer:
    """The moving parts of one training: codes, body, their optimizers, the order of the rows.

    Attributes:
        body: of the deep part.
        mean: of all weights, over the steps of the last epoch.
    """

    def __init__(
        self,
        Z: csr_array,
        y: NDArray[np.float32],
        train: Rows,
        linear: LinearModel,
        plan: TrainingPlan,
        awake: NDArray[np.int64],
        factored: Sequence[NDArray[np.int64]],
    ) -> None:
        self._Z, self._train, self._plan = Z, train, plan
        self._labels = y
        offset = linear.logits(Z, train).astype(np.float32)
        self._offset = np.zeros((Z.shape[0], *offset.shape[1:]), np.float32)
        self._offset[train] = offset
        self._class_weights = np.array(plan.class_weights, np.float32)
        self._W = initial_codes(Z.shape[1], plan.shape.d_block, plan.seed, awake)
        self._factors = Factors(Z, factored, plan.shape.n_factors, plan.learning_rate, plan.seed) if factored else None
        self.body = Body(plan.shape, plan.seed, plan.task.n_outputs)
        self._backprop = Backprop(self.body, plan.shape, plan.seed)
        self._code_optimizer = CodeOptimizer(self._W, plan.learning_rate, plan.code_penalty)
        self._optimizer = optimizer_of(
            plan.optimizer, self._backprop.weights.numpy(), plan.learning_rate, plan.weight_decay
        )
        factors = self._factors.arrays if self._factors else []
        self.mean = EpochMean([self._W, self._backprop.weights.numpy(), *self.body.moments(), *factors])
        self._random = np.random.default_rng(plan.seed)
        self._ahead: list[Rows] = []  # what this pass has not visited yet, epoch by epoch

    def state(self) -> tuple[Matrix, dict[str, Tensor]]:
        """A copy of all weights."""
        return self.codes().copy(), {name: value.clone() for name, value in self.body.state_dict().items()}

    def codes(self) -> Matrix:
        """(n_codes, d_code) all coordinates of the codes."""
        return np.hstack([self._W, self._factors.coordinates()]) if self._factors else self._W

    def run_epoch(self) -> float:
        """Visit the rows of the next epoch, each once; return the mean loss, nats per row."""
        if not self._ahead:
            order = self._random.permutation(self._train)
            self._ahead = np.array_split(order, self._plan.epochs_a_pass(len(order)))
        rows = self._ahead.pop(0)
        n_batches = max(1, len(rows) // self._plan.batch_rows(len(self._train)))
        self.mean.begin()
        with np.errstate(all="ignore"):  # a loss that is not a number is reported as such, not warned of
            return sum(self._step(batch) for batch in np.array_split(rows, n_batches)) / len(rows)

    def _step(self, rows: Rows) -> float:
        """Learn from a minibatch; return the sum of its losses."""
        deep = self._backprop.forward(torch.from_numpy(codes_of(self._Z, rows, self._W)))
        f = deep.numpy() + self._offset[rows]
        if self._factors:
            f += self._factors.forward(rows)
        losses, slope = self._plan.task.weighted_losses(f, self._labels[rows], self._class_weights)
        G = self._backprop.backward(torch.from_numpy(slope / np.float32(len(rows))))  # (n_batch, d_block)
        self._code_optimizer.step(codes_gradient(self._Z, rows, G.numpy()))
        self._optimizer.step(self._backprop.gradient.numpy())
        if self._factors:
            self._factors.step(rows, slope / np.float32(len(rows)))
        self.mean.note()
        return float(losses.sum(dtype=np.float64))


def _deep_logits(body: Body, Z: csr_array, rows: Rows, W: Matrix) -> NDArray[np.float64]:
    """Body(Z[rows] W), (len(rows),) or (len(rows), n_outputs), in chunks."""
    n_outputs = body.last.out_features
    out = np.empty((len(rows), n_outputs) if n_outputs > 1 else len(rows))
    with torch.inference_mode():
        for at in range(0, len(rows), _EVALUATION_ROWS):
            part = slice(at, at + _EVALUATION_ROWS)
            out[part] = body(torch.from_numpy(codes_of(Z, rows[part], W))).numpy()
    return out


def _loss(task: Task, f: NDArray[np.float64], y: NDArray[np.float32], weights: Sequence[float]) -> float:
    with np.errstate(all="ignore"):
        return task.mean_loss(f, y, weights)


def _end_of_patience(plan: TrainingPlan, history: list[Epoch], n_train: int, n_valid: int) -> int:
    """The last epoch that is waited for if none is better than the best so far."""
    best = _best(history)
    return best + plan.patience_epochs(n_train, n_valid, best)


def _best(history: Sequence[Epoch]) -> int:
    return min(history, key=lambda epoch: epoch.valid_loss).number
