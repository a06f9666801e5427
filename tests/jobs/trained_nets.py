"""Nets whose body has something to say, and an independent float64 form of what they compute."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jobs.data.dataset import Design
from jobs.net.linear import LinearModel
from jobs.net.resnet import Body, BodyShape
from jobs.net.training import Epoch, Net


def _layers(body: Body) -> list[nn.Module]:
    """Normalisation, Linear, Linear of each block, then normalisation and Linear of the head."""
    return [layer for layer in body.modules() if isinstance(layer, nn.BatchNorm1d | nn.Linear)]


def awaken(body: Body, seed: int) -> None:
    """Give the body random weights and running statistics everywhere: as if it had been trained."""
    random = torch.Generator().manual_seed(seed)
    *layers, last = _layers(body)
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.BatchNorm1d):
                layer.weight.copy_(torch.rand(layer.weight.shape, generator=random) + 0.5)
                layer.bias.copy_(torch.randn(layer.bias.shape, generator=random) * 0.3)
                layer.running_mean.copy_(torch.randn(layer.bias.shape, generator=random) * 0.3)
                layer.running_var.copy_(torch.rand(layer.bias.shape, generator=random) + 0.3)
        last.weight.copy_(torch.randn(last.weight.shape, generator=random) * 0.5)
        last.bias.fill_(0.2)


def body_in_float64(body: Body, h: Tensor) -> Tensor:
    """Return (n,) what a body says of float64 codes, written out from its weights alone."""
    h, sums = h[:, : body.shape.d_block], h[:, body.shape.d_block :]
    factors = sums.reshape(len(sums), body.shape.n_factored, -1) if body.shape.n_factored else sums[:, None]

    def norm(layer: nn.Module, x: Tensor) -> Tensor:
        centred = (x - layer.running_mean.double()) / torch.sqrt(layer.running_var.double() + 1e-5)
        return centred * layer.weight.double() + layer.bias.double()

    def linear(layer: nn.Module, x: Tensor) -> Tensor:
        return x @ layer.weight.double().T + layer.bias.double()

    *blocks, norm_of_head, last = _layers(body)
    for k in range(0, len(blocks), 3):
        h = h + linear(blocks[k + 2], torch.relu(linear(blocks[k + 1], norm(blocks[k], h))))
    f = linear(last, torch.relu(norm(norm_of_head, h)))[:, 0]
    for j in range(body.shape.n_factored):
        for k in range(j):
            f = f + (factors[:, j] * factors[:, k]).sum(dim=1)
    return f


class DenseNet(nn.Module):
    """A net as a torch module on dense float64 rows of its design matrix: (n, n_codes) -> (n, 1)."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self._body = net.body
        self._W = torch.from_numpy(net.W.astype(np.float64))
        self._w = torch.from_numpy(net.linear.w.astype(np.float64))
        self._b = net.linear.b

    def forward(self, Z: Tensor) -> Tensor:
        """Return logits, (n, 1)."""
        Z = Z.double()
        return (Z @ self._w + self._b + body_in_float64(self._body, Z @ self._W))[:, None]


def random_net(design: Design, seed: int, d_block: int = 8) -> Net:
    """Return a net with random codes, linear part and body; a few codes are zero, as the group lasso leaves them."""
    random = np.random.default_rng(seed)
    W = random.normal(size=(design.n_codes, d_block)).astype(np.float32) * np.float32(0.6)
    W[::7] = 0
    body = Body(BodyShape(n_blocks=2, d_block=d_block), seed)
    awaken(body, seed)
    linear = LinearModel(random.normal(size=design.n_codes).astype(np.float32) * np.float32(0.3), -0.4)
    return Net(linear, W, body, (Epoch(0, 0.0, 0.0),))


def integrated_gradients(net: Net, x: NDArray[np.float64], background: NDArray[np.float64], nodes: int) -> NDArray:
    """Return (n, n_codes) float64 expected gradients over *input* space: the mean of integrated gradients.

    Args:
        net: to explain.
        x: (n, n_codes) dense rows.
        background: (n_background, n_codes) dense rows.
        nodes: of the Gauss-Legendre rule along each straight line between two rows.
    """
    at, weight = np.polynomial.legendre.leggauss(nodes)
    module, total = DenseNet(net), np.zeros_like(x)
    for reference in background:
        for a, w in zip((at + 1) / 2, weight / 2, strict=True):
            points = torch.from_numpy(reference + a * (x - reference)).requires_grad_()
            (slope,) = torch.autograd.grad(module(points).sum(), points)
            total += w * slope.numpy() * (x - reference)
    return total / len(background)


def by_column(phi: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    """Sum attributions of codes over the columns that own them."""
    return np.stack([phi[:, design.owner == k].sum(axis=1) for k in range(len(design.columns))], axis=1)
