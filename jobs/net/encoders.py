# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""Encoders that read the order of a sequence: an LSTM, or self-attention. What one says is further codes of its column.

An encoder turns the last items of a row into a few numbers. It is trained on the rows of one fold, with a linear head,
on what the linear model of the other codes leaves (a stage of boosting: Friedman 2001, section 4). Then it is frozen,
and its numbers stand in the design matrix beside the shares of the items: the linear model, the body, the tests and the
attributions treat them like all other codes, and no gradient passes through an encoder when a column is explained.

What an item of a row says is its integrated gradient inside the encoder (Sundararajan et al. 2017), from a row of as
many items that say nothing. What it changes in the state of an LSTM would name the wrong ones: a state that remembers
an item changes with every later one.

NOTE(diff): FESeq (MDPI Applied Sciences 14(7) 2760) lets features interact inside the encoder; here the body does that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jobs.data.items import Ordered
from jobs.data.split import Rows
from jobs.net.codes import Matrix
from jobs.net.tasks import Task

Single = NDArray[np.float32]

_BATCH, _EVALUATION_ROWS = 128, 512
_EPOCH_ROWS = 65_536
_PATIENCE = 3
_CLIP = 1.0
_HEADS = 4


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """What an encoder is.

    Attributes:
        kind: of the encoder.
        d_item: width of an item's embedding.
        d_hidden: width of a state.
        n_layers: of the encoder.
        dropout: of the embedded items.
        d_out: numbers that it says of a row.
    """

    kind: Literal["lstm", "attention"]
    d_item: int = 32
    d_hidden: int = 64
    n_layers: int = 1
    dropout: float = 0.1
    d_out: int = 16


class Encoder(nn.Module):
    """The last items of a row -> d_out numbers; zeros of a row without items.

    Args:
        shape: sizes.
        n_items: items, numbered from 1; 0 is padding.
        max_length: most items of a row.
        seed: of the initial weights and of dropout, which depend on nothing else.
    """

    def __init__(self, shape: EncoderShape, n_items: int, max_length: int, seed: int) -> None:
        super().__init__()
        self.shape = shape
        self._random = torch.Generator().manual_seed(seed)
        self.items = nn.Embedding(n_items + 1, shape.d_item, padding_idx=0)
        if shape.kind == "lstm":
            self.states: nn.Module = nn.LSTM(shape.d_item, shape.d_hidden, shape.n_layers, batch_first=True)
        else:
            self.places = nn.Embedding(max_length, shape.d_item)
            self.widen = nn.Linear(shape.d_item, shape.d_hidden)
            layer = nn.TransformerEncoderLayer(
                shape.d_hidden, _HEADS, 2 * shape.d_hidden, 0.0, batch_first=True, norm_first=True
            )
            self.states = nn.TransformerEncoder(layer, shape.n_layers, enable_nested_tensor=False)
            self.attention = nn.Linear(shape.d_hidden, 1)
        self.out = nn.Linear(shape.d_hidden, shape.d_out, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter, generator=self._random)
            elif "norm" not in name:
                nn.init.zeros_(parameter)
        with torch.no_grad():
            self.items.weight[0] = 0

    def forward(self, items: Tensor) -> Tensor:
        """Return (n, d_out) of items (n, longest), the oldest first, padded with 0 at the end."""
        embedded, there = self.items(items), items > 0
        if self.training and self.shape.dropout:
            kept = torch.rand(embedded.shape, generator=self._random) >= self.shape.dropout
            embedded = embedded * kept / (1 - self.shape.dropout)
        return self.of_embedded(embedded, there)

    def of_embedded(self, embedded: Tensor, there: Tensor) -> Tensor:
        """Return (n, d_out) of embedded items (n, longest, d_item), where `there`."""
        state = self._last_state(embedded, there) if self.shape.kind == "lstm" else self._attended(embedded, there)
        return self.out(state) * there[:, :1]  # nothing of a row without items

    def _last_state(self, embedded: Tensor, there: Tensor) -> Tensor:
        states, _ = self.states(embedded)
        last = (there.sum(dim=1) - 1).clamp(min=0)
        return states[torch.arange(len(states)), last]

    def _attended(self, embedded: Tensor, there: Tensor) -> Tensor:
        back = there.sum(dim=1, keepdim=True) - 1 - torch.arange(there.shape[1])  # 0 is the last item
        x = self.widen(embedded + self.places(back.clamp(min=0)))
        mask = ~there
        mask[:, 0] = False  # a row without items must not be all mask
        states = self.states(x, src_key_padding_mask=mask)
        weight = torch.softmax(self.attention(states)[:, :, 0].masked_fill(mask, float("-inf")), dim=1)
        return (weight[:, :, None] * states).sum(dim=1)


def train_encoder(
    ordered: Ordered,
    offset: NDArray[np.float64],
    y: Single,
    rows: Rows,
    valid: Rows,
    shape: EncoderShape,
    *,
    task: Task,
    class_weights: tuple[float, ...],
    epochs: int,
    seed: int,
    on_epoch: Callable[[], None],
) -> Encoder:
    """Train an encoder on what is left of the label, and return it as it was at its best epoch.

    Args:
        ordered: the items of all rows.
        offset: (n_rows,) or (n_rows, n_outputs) logits of all rows that the encoder adds to.
        y: (n_rows,) labels.
        rows: positions of rows to learn from.
        valid: positions of rows that end the training early.
        shape: sizes.
        task: what the label is.
        class_weights: weight of the loss of each class; empty: all rows count the same.
        epochs: at most so many passes over the rows, or over 65,536 of them at a time.
        seed: of everything random.
        on_epoch: called after each epoch; may raise to abandon.

    Raises:
        FloatingPointError: the loss is not finite any more.
    """
    encoder = Encoder(shape, ordered.n_items, ordered.max_length, seed)
    head = nn.Linear(shape.d_out, task.n_outputs)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-2)
    random, weights = np.random.default_rng(seed), np.array(class_weights, np.float32)
    best, best_state, without = np.inf, encoder.state_dict(), 0
    for number in range(epochs):
        encoder.train()
        some = random.permutation(rows)[:_EPOCH_ROWS]
        for batch in _batches(ordered, some, random):
            said = head(encoder(_padded(ordered, batch))).squeeze(-1)
            f = said.detach().numpy() + offset[batch].astype(np.float32)
            _, slope = task.weighted_losses(f, y[batch], weights)
            optimizer.zero_grad()
            said.backward(torch.from_numpy(slope / np.float32(len(batch))))
            nn.utils.clip_grad_norm_(parameters, _CLIP)
            optimizer.step()
        encoder.eval()
        with torch.inference_mode():
            said = head(torch.from_numpy(encode(encoder, ordered, valid))).squeeze(-1).numpy()
        loss = task.mean_loss(said + offset[valid], y[valid], class_weights)
        on_epoch()
        if not np.isfinite(loss):
            raise FloatingPointError(f"epoch {number + 1} of the encoder of {ordered.name!r}: validation loss {loss}")
        without = 0 if loss < best else without + 1
        if loss < best:
            best, best_state = loss, {name: value.clone() for name, value in encoder.state_dict().items()}
        if without == _PATIENCE:
            break
    encoder.load_state_dict(best_state)
    encoder.eval().requires_grad_(requires_grad=False)
    _scale(encoder, encode(encoder, ordered, rows))
    return encoder


def _scale(encoder: Encoder, said: Matrix) -> None:
    """Divide each number by its range, as numeric columns are."""
    span = torch.from_numpy(np.ptp(said, axis=0))
    encoder.out.weight /= torch.where(span > 0, span, torch.ones_like(span))[:, None]


def encode(encoder: Encoder, ordered: Ordered, rows: Rows) -> Matrix:
    """Return (len(rows), d_out) float32: what the encoder says of those rows."""
    out = np.empty((len(rows), encoder.shape.d_out), np.float32)
    with torch.inference_mode():
        for part in _of_like_length(ordered, rows):
            out[part] = encoder(_padded(ordered, rows[part])).numpy()
    return out


def explain_items(encoder: Encoder, ordered: Ordered, rows: Rows, worth: Matrix, nodes: int) -> Single:
    """Attribute what an encoder says of rows to their items.

    Args:
        encoder: whose numbers are meant.
        ordered: the items of all rows.
        rows: (n,) positions of the rows.
        worth: (n, d_out) logits that one of each number is worth in that row.
        nodes: of the Gauss-Legendre rule.

    Returns:
        (items of those rows,) float32 logits, row after row, the oldest first.
    """
    at, weight = np.polynomial.legendre.leggauss(nodes)
    lengths = np.diff(ordered.indptr)[rows]
    out, starts = np.empty(int(lengths.sum()), np.float32), np.cumsum(lengths) - lengths
    for part in _of_like_length(ordered, rows):
        items = _padded(ordered, rows[part])
        embedded, there, along = encoder.items(items).detach(), items > 0, torch.from_numpy(worth[part])
        total = torch.zeros_like(embedded)
        for alpha, share in zip((at + 1) / 2, weight / 2, strict=True):
            point = (embedded * float(alpha)).requires_grad_()
            (encoder.of_embedded(point, there) * along).sum().backward()
            if point.grad is not None:
                total += float(share) * point.grad
        row, column = np.nonzero(there.numpy())
        out[starts[part][row] + column] = (total * embedded).sum(dim=2).numpy()[row, column]
    return out


def _batches(ordered: Ordered, rows: Rows, random: np.random.Generator) -> Iterator[Rows]:
    """Minibatches of rows of like length, so that little is padded, in random order."""
    lengths = np.diff(ordered.indptr)
    batches: list[Rows] = []
    for chunk in np.array_split(rows, max(1, len(rows) // (32 * _BATCH))):
        order = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += np.array_split(order, max(1, len(order) // _BATCH))
    for k in random.permutation(len(batches)):
        yield batches[int(k)]


def _of_like_length(ordered: Ordered, rows: Rows) -> Iterator[NDArray[np.int64]]:
    """Positions within `rows`, a chunk of rows of like length at a time."""
    order = np.argsort(np.diff(ordered.indptr)[rows], kind="stable")
    for first in range(0, len(rows), _EVALUATION_ROWS):
        yield order[first : first + _EVALUATION_ROWS]


def _padded(ordered: Ordered, rows: Rows) -> Tensor:
    """(len(rows), longest) int64 items, padded with 0 at the end; one column at least."""
    starts, ends = ordered.indptr[rows], ordered.indptr[rows + 1]
    longest = max(1, int((ends - starts).max(initial=0)))
    at = starts[:, None] + np.arange(longest)
    there = at < ends[:, None]
    items = np.zeros(at.shape, np.int64)
    items[there] = ordered.items[at[there]]
    return torch.from_numpy(items)
