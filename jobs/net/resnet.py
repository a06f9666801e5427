"""The body of the net: a tabular ResNet over codes.

Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", section 3.2; defaults of Holzmueller et al.
2024, "Better by default".

    body(h) = head(block_n(... block_1(h)))
    block(h) = h + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(h))))))
    head(h) = Linear(ReLU(BatchNorm(h)))

NOTE(diff): the first Linear of the paper is the sum of codes (codes.py), and the last Linear starts at zero, so that
the untrained net is exactly the linear solution that it stands on.

Here the body is what it is once trained: dropout is the identity, normalisation uses the noted moments. How it is
trained is in backprop.py.
"""

from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jobs.net.factors import term


@dataclass(frozen=True, slots=True)
class BodyShape:
    """Sizes of the body.

    Attributes:
        n_blocks: residual blocks.
        d_block: width of a code.
        d_hidden_factor: hidden width of a block, in units of d_block.
        hidden_dropout: inside a block, after ReLU.
        residual_dropout: at the end of a block.
        n_factors: of a column of the factorisation term (factors.py).
        n_factored: columns of that term; 0: there is none.
    """

    n_blocks: int = 2
    d_block: int = 128
    d_hidden_factor: int = 2
    hidden_dropout: float = 0.25
    residual_dropout: float = 0.1
    n_factors: int = 0
    n_factored: int = 0


class Norm(nn.BatchNorm1d):
    """Batch normalisation."""

    @property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance, (d_block,) each, that training noted for evaluation."""
        if self.running_mean is None or self.running_var is None:
            raise ValueError("this normalisation keeps no running statistics")
        return self.running_mean, self.running_var

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """Scale and shift, (d_block,) each, of evaluation mode."""
        mean, variance = self.moments
        scale = self.weight / torch.sqrt(variance + self.eps)
        return scale, self.bias - mean * scale


class Block(nn.Module):
    """One residual block: (n, d_block) -> (n, d_block)."""

    def __init__(self, shape: BodyShape) -> None:
        super().__init__()
        d_hidden = shape.d_block * shape.d_hidden_factor
        self.norm = Norm(shape.d_block)
        self.widen = nn.Linear(shape.d_block, d_hidden)
        self.narrow = nn.Linear(d_hidden, shape.d_block)

    def forward(self, h: Tensor) -> Tensor:
        """Return h plus what the block adds to it, (n, d_block)."""
        return h + self.narrow(torch.relu(self.widen(self.norm(h))))


class Body(nn.Module):
    """Blocks and head: summed codes -> logits. Initial weights depend on the seed alone.

    A code is d_block wide, and n_factored x n_factors more where there is a factorisation term.

    Args:
        shape: sizes.
        seed: of the initial weights.
        n_outputs: logits of a row.
    """

    def __init__(self, shape: BodyShape, seed: int, n_outputs: int = 1) -> None:
        super().__init__()
        self.shape = shape
        self.layers = [Block(shape) for _ in range(shape.n_blocks)]
        self.blocks = nn.ModuleList(self.layers)
        self.norm = Norm(shape.d_block)
        self.last = nn.Linear(shape.d_block, n_outputs)
        _reset_linear_layers(self.blocks, torch.Generator().manual_seed(seed))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.eval()

    def forward(self, h: Tensor) -> Tensor:
        """Return the deep part of the logits: (n,), or (n, n_outputs) of several."""
        h, sums = h[:, : self.shape.d_block], h[:, self.shape.d_block :]
        for block in self.layers:
            h = block(h)
        deep = self.last(torch.relu(self.norm(h))).squeeze(-1)
        if not self.shape.n_factored:
            return deep
        return deep + term(sums, self.shape.n_factored)

    def moments(self) -> list[NDArray[np.float32]]:
        """(d_block,) mean and variance that each normalisation notes, in place."""
        norms = [*(block.norm for block in self.layers), self.norm]
        return [moment.numpy() for norm in norms for moment in norm.moments]

    def of_output(self, output: int) -> "Body":
        """Return the body of one output alone, with the same blocks."""
        last = nn.Linear(self.last.in_features, 1)
        last.weight.data = self.last.weight.data[output : output + 1]
        last.bias.data = self.last.bias.data[output : output + 1]
        return self._with_last(last)

    def centred(self, share: NDArray[np.float64]) -> "Body":
        """Return the body of several outputs less their mean, weighted by `share`."""
        of_class = torch.tensor(share, dtype=torch.float32)
        last = nn.Linear(self.last.in_features, self.last.out_features)
        last.weight.data = self.last.weight.data - of_class @ self.last.weight.data
        last.bias.data = self.last.bias.data - of_class @ self.last.bias.data
        return self._with_last(last)

    def _with_last(self, last: nn.Linear) -> "Body":
        other = copy(self)
        other._modules = self._modules | {"last": last}  # noqa: SLF001 - of the same class
        return other


def _reset_linear_layers(module: nn.Module, generator: torch.Generator) -> None:
    """PyTorch's own initial weights of Linear, U(-1/sqrt(d_in), 1/sqrt(d_in)), drawn from `generator`."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
