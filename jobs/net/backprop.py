# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""One minibatch through the body and back, by hand.

The body is small, so in torch's autograd more time goes into what lies between the matrix products than into the
products: each comparison, cast and sum is a pass of its own over the batch. Here one pass does what lies between two
products (kernels.py), and the products are torch's. The reference is autograd in float64, in
tests/jobs/net/test_backprop.py; what it saves is in docs/decisions/0007-backprop-by-hand.md.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.net import kernels
from jobs.net.resnet import Block, Body, BodyShape, Norm

_NORM_MOMENTUM = 0.1  # of the noted moments; PyTorch's default

Drawn = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Normalised:
    """A batch normalised by its own moments: input and output (n, d_block), moments (d_block,) float64."""

    h: Tensor
    mean: NDArray[np.float64]
    inverse: NDArray[np.float64]
    out: Tensor


@dataclass(frozen=True, slots=True)
class _BlockPass:
    """What the way back through a block needs: its normalised input, its thinned hidden layer, its last draw."""

    norm: _Normalised
    hidden: Tensor  # (n, d_hidden)
    drawn: Drawn  # (n, d_block)


class Backprop:
    """Runs minibatches through a body, with dropout and the moments of the batch, and back.

    Dropout draws from a generator of its own, so nets that train side by side do not share a random state. A byte
    decides on each number: a share is rounded to 1/256.

    Args:
        body: its parameters become views of one flat vector; their noted moments are kept up to date.
        shape: the shares of dropout.
        seed: of dropout.

    Attributes:
        weights: (n_weights,) all parameters of the body, in place.
        gradient: (n_weights,) the gradient that `backward` left.
    """

    def __init__(self, body: Body, shape: BodyShape, seed: int) -> None:
        self._body = body
        self._random = np.random.SFC64(seed)
        self._hidden, self._residual = round(256 * shape.hidden_dropout), round(256 * shape.residual_dropout)
        self.weights, self.gradient = _flatten(body)
        self._passes: list[_BlockPass] = []
        self._head: tuple[_Normalised, Tensor] | None = None

    def forward(self, h: Tensor) -> Tensor:
        """Return the deep part of the logits of codes (n, d_block), as the body does; notes what `backward` needs."""
        self._passes = []
        for block in self._body.layers:
            h = self._into(block, h)
        norm = self._normalise(self._body.norm, h)
        z = torch.relu(norm.out)
        self._head = norm, z
        return self._body.last(z).squeeze(-1)

    def backward(self, slope: Tensor) -> Tensor:
        """Return the gradient of the codes, (n, d_block), and leave that of the weights in `gradient`.

        Args:
            slope: (n,) or (n, n_outputs), derivative of the loss in the logits of the last `forward`.
        """
        if self._head is None:
            raise ValueError("backward needs a forward")
        norm, z = self._head
        last = self._body.last
        slopes = slope.reshape(len(slope), -1)  # (n, n_outputs)
        _linear_gradient(last, slopes, z)
        g = _through_norm(self._body.norm, norm, _through_relu(slopes @ last.weight, z, 0))
        for block, passed in zip(reversed(self._body.layers), reversed(self._passes), strict=True):
            g += self._back_through(block, passed, g)
        return g

    def _into(self, block: Block, h: Tensor) -> Tensor:
        norm = self._normalise(block.norm, h)
        wide = torch.addmm(block.widen.bias, norm.out, block.widen.weight.T)  # (n, d_hidden)
        hidden = torch.empty_like(wide)
        kernels.relu_dropout(wide.numpy(), self._draw(wide), self._hidden, _scale(self._hidden), hidden.numpy())
        narrow, out = torch.addmm(block.narrow.bias, hidden, block.narrow.weight.T), torch.empty_like(h)
        drawn = self._draw(narrow)
        kernels.dropout(narrow.numpy(), drawn, self._residual, _scale(self._residual), out.numpy())
        self._passes.append(_BlockPass(norm, hidden, drawn))
        return out.add_(h)

    def _back_through(self, block: Block, passed: _BlockPass, g: Tensor) -> Tensor:
        g_out = torch.empty_like(g)
        kernels.dropout(g.numpy(), passed.drawn, self._residual, _scale(self._residual), g_out.numpy())
        _linear_gradient(block.narrow, g_out, passed.hidden)
        g_z = _through_relu(g_out @ block.narrow.weight, passed.hidden, self._hidden)  # (n, d_hidden)
        _linear_gradient(block.widen, g_z, passed.norm.out)
        return _through_norm(block.norm, passed.norm, g_z @ block.widen.weight)

    def _normalise(self, norm: Norm, h: Tensor) -> _Normalised:
        n, d = h.shape
        mean, variance, out = np.empty(d), np.empty(d), torch.empty_like(h)
        kernels.batch_moments(h.numpy(), mean, variance)
        noted_mean, noted_variance = norm.moments
        noted_mean.lerp_(torch.from_numpy(mean).float(), _NORM_MOMENTUM)
        noted_variance.lerp_(torch.from_numpy(variance * (n / (n - 1))).float(), _NORM_MOMENTUM)
        inverse = 1 / np.sqrt(variance + norm.eps)
        kernels.normalise(h.numpy(), mean, inverse, norm.weight.numpy(), norm.bias.numpy(), out.numpy())
        return _Normalised(h, mean, inverse, out)

    def _draw(self, like: Tensor) -> Drawn:
        """Bytes of the shape of `like`."""
        raw: NDArray[np.uint64] = self._random.random_raw(-(-like.numel() // 8))
        return raw.view(np.uint8)[: like.numel()].reshape(like.shape)


def _through_relu(g: Tensor, z: Tensor, dropped: int) -> Tensor:
    """Return the gradient before a ReLU, and dropout, whose result is z."""
    out = torch.empty_like(g)
    kernels.relu_dropout_gradient(g.numpy(), z.numpy(), _scale(dropped), out.numpy())
    return out


def _through_norm(norm: Norm, passed: _Normalised, g: Tensor) -> Tensor:
    """Return the gradient of the input, (n, d_block); leaves those of weight and bias."""
    out, of_weight, of_bias = torch.empty_like(g), np.zeros(len(passed.mean)), np.zeros(len(passed.mean))
    kernels.normalise_gradient(
        g.numpy(),
        passed.h.numpy(),
        passed.mean,
        passed.inverse,
        norm.weight.numpy(),
        of_weight,
        of_bias,
        out.numpy(),
    )
    _gradient_of(norm.weight).copy_(torch.from_numpy(of_weight))
    _gradient_of(norm.bias).copy_(torch.from_numpy(of_bias))
    return out


def _linear_gradient(layer: torch.nn.Linear, g: Tensor, given: Tensor) -> None:
    """Leave the gradients of a layer from that of its output, (n, d_out), and its input, (n, d_in)."""
    torch.mm(g.T, given, out=_gradient_of(layer.weight))
    torch.sum(g, dim=0, out=_gradient_of(layer.bias))


def _gradient_of(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise ValueError("a parameter outside the flat vector")
    return parameter.grad


def _flatten(body: Body) -> tuple[Tensor, Tensor]:
    """Put all parameters into one vector and their gradients into another; each becomes a view."""
    parameters = list(body.parameters())
    weights = torch.cat([parameter.detach().ravel() for parameter in parameters])
    gradient = torch.zeros_like(weights)
    at = 0
    for parameter in parameters:
        place = slice(at, at + parameter.numel())
        parameter.data = weights[place].view_as(parameter)
        parameter.requires_grad_(False).grad = gradient[place].view_as(parameter)
        at = place.stop
    return weights, gradient


def _scale(dropped: int) -> np.float32:
    return np.float32(256 / (256 - dropped))
