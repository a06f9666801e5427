"""The body of the net: a tabular ResNet over codes.

Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", section 3.2; defaults of Holzmueller et al.
2024, "Better by default".

    body(h) = head(block_n(... block_1(h)))
    block(h) = h + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(h))))))
    head(h) = Linear(ReLU(BatchNorm(h)))

NOTE(diff): the first Linear of the paper is the sum of codes (codes.py), and the last Linear starts at zero, so that
the untrained net is exactly the linear solution that it stands on.
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
    d_hidden_factor: int = 2
    hidden_dropout: float = 0.25
    residual_dropout: float = 0.1


class Dropout(nn.Module):
    """Inverted dropout from a generator of its own: nets that train side by side do not share a random state."""

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self._share, self._generator = share, generator

    def forward(self, h: Tensor) -> Tensor:
        """Zero a share of h and scale the rest up while training; the identity otherwise."""
        if not self.training or self._share == 0:
            return h
        kept = torch.empty_like(h).bernoulli_(1 - self._share, generator=self._generator)
        return h * kept.div_(1 - self._share)


class Block(nn.Module):
    """One residual block: (n, d_block) -> (n, d_block)."""

    def __init__(self, shape: BodyShape, generator: torch.Generator) -> None:
        super().__init__()
        d_hidden = shape.d_block * shape.d_hidden_factor
        self.change = nn.Sequential(
            nn.BatchNorm1d(shape.d_block),
            nn.Linear(shape.d_block, d_hidden),
            nn.ReLU(),
            Dropout(shape.hidden_dropout, generator),
            nn.Linear(d_hidden, shape.d_block),
            Dropout(shape.residual_dropout, generator),
        )

    def forward(self, h: Tensor) -> Tensor:
        """Return h + change(h), (n, d_block)."""
        return h + self.change(h)


class Body(nn.Module):
    """Blocks and head: summed codes (n, d_block) -> logit (n,). Weights and dropout depend on the seed alone."""

    def __init__(self, shape: BodyShape, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.blocks = nn.Sequential(*(Block(shape, generator) for _ in range(shape.n_blocks)))
        last = nn.Linear(shape.d_block, 1)
        self.head = nn.Sequential(nn.BatchNorm1d(shape.d_block), nn.ReLU(), last)
        _reset_linear_layers(self.blocks, generator)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, h: Tensor) -> Tensor:
        """Return the deep part of the logit, (n,)."""
        return self.head(self.blocks(h)).squeeze(-1)


def input_gradient(body: Body, h: Tensor) -> Tensor:
    """Return the gradient of an evaluating body's logit at each code, (n, d_block), without autograd.

    Every batch normalisation is folded into the Linear behind it, and of each ReLU only its mask is kept: two thirds of
    the time of autograd, and less memory.

    Args:
        body: in evaluation mode.
        h: (n, d_block) codes; not changed.
    """
    masks: list[Tensor] = []
    folded: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        for block in body.blocks:
            norm, first, _, _, second, _ = block.change
            scale, shift = _affine(norm)
            rise = first.weight * scale  # (d_hidden, d_block)
            z = torch.addmm(first.bias + first.weight @ shift, h, rise.T)  # (n, d_hidden)
            masks.append(z > 0)
            folded.append((rise, second.weight))
            h = torch.addmm(second.bias, z.relu_(), second.weight.T).add_(h)
        norm, _, last = body.head
        scale, shift = _affine(norm)
        gradient = ((h * scale + shift) > 0) * (scale * last.weight[0])  # (n, d_block)
        for mask, (rise, fall) in zip(reversed(masks), reversed(folded), strict=True):
            gradient = torch.addmm(gradient, (gradient @ fall).mul_(mask), rise)
    return gradient


def _affine(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Scale and shift of an evaluating batch normalisation."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def _reset_linear_layers(module: nn.Module, generator: torch.Generator) -> None:
    """PyTorch's own initial weights of Linear, U(-1/sqrt(d_in), 1/sqrt(d_in)), drawn from `generator`."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
