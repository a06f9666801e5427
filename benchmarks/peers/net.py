"""The same ResNet as Winnow's with a dense first layer, as people write it: nn.Linear(n_features, d_block) in front.

Each ReLU is a module of its own, because captum and shap put their rules on modules and a module that is used twice
breaks DeepLift.
"""

import numpy as np
import torch
from torch import Tensor, nn

from jobs.data.split import Rows
from jobs.net.resnet import BodyShape
from jobs.net.training import TrainingPlan

_EVALUATION_ROWS = 8192
_WARM_UP_BATCHES = 3
_ROW_STEPS = 100_000  # at least so many are measured: one epoch of a small table is too short to be multiplied


def measured_epochs(n_rows: int) -> int:
    """How many epochs of so many rows are measured."""
    return max(1, round(_ROW_STEPS / n_rows))


class Dropout(nn.Module):
    """Inverted dropout, decided by one random byte for each number: faster than nn.Dropout, which draws floats."""

    def __init__(self, share: float, random: np.random.Generator) -> None:
        super().__init__()
        self._dropped, self._random = round(256 * share), random

    def forward(self, h: Tensor) -> Tensor:
        """Zero a share of h and scale the rest up while training; the identity otherwise."""
        if not self.training:
            return h
        drawn = torch.frombuffer(bytearray(self._random.bytes(h.numel())), dtype=torch.uint8)
        return h * (drawn >= self._dropped).to(h.dtype).mul_(256 / (256 - self._dropped)).view(h.shape)


class DenseBlock(nn.Module):
    """One residual block: (n, d_block) -> (n, d_block)."""

    def __init__(self, shape: BodyShape, random: np.random.Generator) -> None:
        super().__init__()
        d_hidden = shape.d_block * shape.d_hidden_factor
        self.branch = nn.Sequential(
            nn.BatchNorm1d(shape.d_block),
            nn.Linear(shape.d_block, d_hidden),
            nn.ReLU(),
            Dropout(shape.hidden_dropout, random),
            nn.Linear(d_hidden, shape.d_block),
            Dropout(shape.residual_dropout, random),
        )

    def forward(self, h: Tensor) -> Tensor:
        """Return h plus what the block adds to it."""
        return h + self.branch(h)


class DenseNet(nn.Module):
    """(n, n_features) -> logits (n, 1)."""

    def __init__(self, n_features: int, shape: BodyShape, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        self.first = nn.Linear(n_features, shape.d_block)
        self.blocks = nn.Sequential(*(DenseBlock(shape, random) for _ in range(shape.n_blocks)))
        self.head = nn.Sequential(nn.BatchNorm1d(shape.d_block), nn.ReLU(), nn.Linear(shape.d_block, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.head(self.blocks(self.first(x)))


class Trainer:
    """Minibatch training of one net on rows of a dense table.

    Args:
        X: (n_rows, n_features) float32.
        y: (n_rows,) float32 labels.
        plan: sizes, steps, seed: Winnow's own.
        fused: let AdamW step in one kernel.
    """

    def __init__(self, X: Tensor, y: Tensor, plan: TrainingPlan, *, fused: bool) -> None:
        self._X, self._y, self._plan = X, y, plan
        self._random = np.random.default_rng(plan.seed)
        self._loss = nn.BCEWithLogitsLoss()
        self.net = DenseNet(X.shape[1], plan.shape, plan.seed)
        self._optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=fused
        )

    def warm_up(self, rows: Rows, valid: Rows) -> None:
        """Run a few steps: what the first call of everything costs must not be extrapolated."""
        n_batch = self._plan.batch_rows(len(rows))
        for at in range(0, min(_WARM_UP_BATCHES * n_batch, len(rows)), n_batch):
            self._step(rows[at : at + n_batch])
        self.valid_loss(valid[:n_batch])

    def run_epochs(self, count: int, rows: Rows, valid: Rows) -> float:
        """Visit every row so many times, validate after each, and return the last validation loss, nats per row."""
        return [self._run_epoch(rows, valid) for _ in range(count)][-1]

    def _run_epoch(self, rows: Rows, valid: Rows) -> float:
        order = self._random.permutation(rows)
        self.net.train()
        for batch in np.array_split(order, max(1, len(order) // self._plan.batch_rows(len(order)))):
            self._step(batch)
        return self.valid_loss(valid)

    @torch.inference_mode()
    def valid_loss(self, rows: Rows) -> float:
        """Mean loss on those rows; leaves the net in evaluation mode."""
        self.net.eval()
        losses = [
            float(self._loss(self.net(self._X.index_select(0, part)).squeeze(-1), self._y[part])) * len(part)
            for part in torch.from_numpy(rows).split(_EVALUATION_ROWS)
        ]
        return sum(losses) / len(rows)

    def _step(self, rows: Rows) -> None:
        chosen = torch.from_numpy(rows)
        loss = self._loss(self.net(self._X.index_select(0, chosen)).squeeze(-1), self._y[chosen])
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
