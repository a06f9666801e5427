"""The body: its formula and its seed."""

import numpy as np
import torch

from jobs.net.resnet import Body, BodyShape
from tests.jobs.trained_nets import awaken, body_in_float64

SHAPE = BodyShape(n_blocks=2, d_block=6, d_hidden_factor=3, hidden_dropout=0.4, residual_dropout=0.3)


def codes(n: int = 50, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32))


def test_an_untrained_body_says_zero() -> None:
    assert not Body(SHAPE, 3)(codes()).detach().any()


def test_the_body_is_the_resnet_of_its_docstring() -> None:
    body = Body(SHAPE, 3)
    awaken(body, 4)
    h = codes()
    wanted = body_in_float64(body, h.double())
    torch.testing.assert_close(body(h).detach().double(), wanted.detach(), rtol=1e-5, atol=1e-5)
    assert float(wanted.detach().std()) > 0.1


def test_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = Body(SHAPE, 3).state_dict()
    torch.manual_seed(2)
    same, other = Body(SHAPE, 3).state_dict(), Body(SHAPE, 4).state_dict()
    for name, value in one.items():
        assert torch.equal(value, same[name])
    assert any(not torch.equal(value, other[name]) for name, value in one.items())
