"""The body of the net: a tabular ResNet over codes (Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular
Data", section 3.2; defaults of Holzmueller et al. 2024, "Better by default").

    body(h) = head(block_n(... block_1(h)))
    block(h) = h + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(h))))))
    head(h) = Linear(ReLU(BatchNorm(h)))

NOTE(diff): the first Linear of the paper is the sum of codes (codes.py), and the last Linear starts at zero, so that the
untrained net is exactly the linear solution that it stands on.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class BodyShape:
    """Sizes of the body.

    Attributes:
        n_blocks: residual blocks.
        d_block: width of a code.
        d_hidden_factor: hidden width of a block, in units of d_block.
        hidden_dropout: inside a block, after ReLU.
        residual_dropout: at the end of a block.
    """

    n_blocks: int = 2
    d_block: int = 128
    d_hidden_factor: float = 2.0
    hidden_dropout: float = 0.25
    residual_dropout: float = 0.1


class Block(nn.Module):
    """One residual block: (n, d_block) -> (n, d_block)."""

    def __init__(self, shape: BodyShape) -> None:
        super().__init__()
        d_hidden = int(shape.d_block * shape.d_hidden_factor)
        self.change = nn.Sequential(
            nn.BatchNorm1d(shape.d_block),
            nn.Linear(shape.d_block, d_hidden),
            nn.ReLU(),
            nn.Dropout(shape.hidden_dropout),
            nn.Linear(d_hidden, shape.d_block),
            nn.Dropout(shape.residual_dropout),
        )

    def forward(self, h: Tensor) -> Tensor:
        """Return h + change(h), (n, d_block)."""
        return h + self.change(h)


class Body(nn.Module):
    """Blocks and head: summed codes (n, d_block) -> logit (n,)."""

    def __init__(self, shape: BodyShape) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(shape) for _ in range(shape.n_blocks)))
        self.head = nn.Sequential(nn.BatchNorm1d(shape.d_block), nn.ReLU(), nn.Linear(shape.d_block, 1))
        last = self.head[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, h: Tensor) -> Tensor:
        """Return the deep part of the logit, (n,)."""
        return self.head(self.blocks(h)).squeeze(-1)


def seeded_body(shape: BodyShape, seed: int) -> Body:
    """A body whose initial weights depend on the seed alone; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Body(shape)
