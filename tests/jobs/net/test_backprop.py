"""A minibatch through the body and back by hand, against autograd on a float64 form written out from the weights."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jobs.net.backprop import Backprop
from jobs.net.resnet import Body, BodyShape
from tests.jobs.trained_nets import awaken

SHAPE = BodyShape(n_blocks=2, d_block=6, d_hidden_factor=3, hidden_dropout=0.4, residual_dropout=0.3)


def codes(n: int = 50, seed: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32))


def body_and_pass(shape: BodyShape = SHAPE, seed: int = 7) -> tuple[Body, Backprop]:
    body = Body(shape, 3)
    awaken(body, 4)
    return body, Backprop(body, shape, seed)


@dataclass
class Draws:
    """The draws of a pass, made again: a byte for each number, of the hidden layer and of the output of each block."""

    random: np.random.SFC64

    def kept(self, like: Tensor, share: float) -> Tensor:
        """Return what dropout multiplies with."""
        raw = self.random.random_raw(-(-like.numel() // 8)).view(np.uint8)[: like.numel()].reshape(like.shape)
        dropped = round(256 * share)
        return torch.from_numpy((raw >= dropped) * (256 / (256 - dropped)))


def in_float64(body: Body, h: Tensor, shape: BodyShape, draws: Draws) -> tuple[Tensor, list[Tensor]]:
    """Return (n,) what a training body says of float64 codes, and its parameters in float64, with gradients to come."""
    parameters = [parameter.detach().double().requires_grad_() for parameter in body.parameters()]
    rest = iter(parameters)

    def norm(x: Tensor) -> Tensor:
        weight, bias = next(rest), next(rest)
        return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5) * weight + bias

    def linear(x: Tensor) -> Tensor:
        weight, bias = next(rest), next(rest)
        return x @ weight.T + bias

    for _ in range(shape.n_blocks):
        z = linear(norm(h))
        z = torch.relu(z) * draws.kept(z, shape.hidden_dropout)
        u = linear(z)
        h = h + u * draws.kept(u, shape.residual_dropout)
    return linear(torch.relu(norm(h)))[:, 0], parameters


@pytest.mark.parametrize("shape", [SHAPE, BodyShape(1, 6, 1, 0.0, 0.0), BodyShape(3, 6, 2, 0.5, 0.0)])
def test_both_ways_equal_autograd_in_float64(shape: BodyShape) -> None:
    body, passing = body_and_pass(shape)
    exact = codes().double().requires_grad_()
    wanted, parameters = in_float64(body, exact, shape, Draws(np.random.SFC64(7)))
    slope = torch.from_numpy(np.random.default_rng(5).normal(size=50))
    (wanted @ slope).backward()

    found = passing.forward(codes())
    gradient = passing.backward(slope.float())

    torch.testing.assert_close(found.double(), wanted.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradient.double(), exact.grad, rtol=1e-3, atol=1e-5)
    for parameter, reference in zip(body.parameters(), parameters, strict=True):
        torch.testing.assert_close(parameter.grad.double(), reference.grad, rtol=1e-3, atol=1e-4)
    assert float(exact.grad.abs().mean()) > 0.01


def test_weights_and_gradient_are_one_vector_each() -> None:
    body, passing = body_and_pass()
    passing.backward(torch.ones_like(passing.forward(codes())))
    before = body(codes())
    passing.weights.mul_(2)
    assert not torch.equal(body(codes()), before)
    assert torch.equal(torch.cat([p.grad.ravel() for p in body.parameters()]), passing.gradient)
    assert torch.equal(torch.cat([p.ravel() for p in body.parameters()]), passing.weights)


def test_moments_are_noted_as_torch_notes_them() -> None:
    body, passing = body_and_pass()
    theirs = nn.BatchNorm1d(6)
    theirs.load_state_dict(body.blocks[0].norm.state_dict())
    theirs.train()(codes())
    passing.forward(codes())
    torch.testing.assert_close(body.blocks[0].norm.running_mean, theirs.running_mean)
    torch.testing.assert_close(body.blocks[0].norm.running_var, theirs.running_var)


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    shape = BodyShape(n_blocks=1, d_block=6, d_hidden_factor=1, hidden_dropout=0.0, residual_dropout=0.375)
    body, passing = body_and_pass(shape)
    with torch.no_grad():
        body.blocks[0].narrow.weight.zero_()
        body.blocks[0].narrow.bias.fill_(1)
        body.norm.weight.fill_(1)
        body.last.weight.fill_(1)
    h = torch.zeros(4000, 6)
    passing.forward(h)
    before_head = passing._head[0].h
    assert set(before_head.unique().tolist()) == {0.0, float(np.float32(1 / (1 - 0.375)))}
    assert abs(float(before_head.mean()) - 1) < 0.02


def test_draws_go_on_and_depend_on_the_seed_alone() -> None:
    _, passing = body_and_pass()
    _, same = body_and_pass()
    _, other = body_and_pass(seed=8)
    first = passing.forward(codes())
    other_first = other.forward(codes())
    assert torch.equal(first, same.forward(codes()))
    assert not torch.equal(first, other_first)
    assert not torch.equal(first, passing.forward(codes()))


def test_the_way_back_needs_a_way_there() -> None:
    _, passing = body_and_pass()
    with pytest.raises(ValueError, match="backward needs a forward"):
        passing.backward(torch.ones(3))
