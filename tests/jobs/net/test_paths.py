"""Gradients along paths, against autograd in float64 at every point of every path."""

import numpy as np
import pytest
import torch

from jobs.net import paths
from jobs.net.paths import path_gradients
from jobs.net.resnet import Body, BodyShape
from tests.jobs.trained_nets import awaken, body_in_float64


def body_of(n_blocks: int, n_factored: int = 0) -> Body:
    body = Body(BodyShape(n_blocks=n_blocks, d_block=6, d_hidden_factor=3, n_factors=2, n_factored=n_factored), 3)
    awaken(body, 4)
    return body


def codes(n: int, seed: int, width: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def by_autograd(body: Body, h: np.ndarray, references: np.ndarray, nodes: int) -> np.ndarray:
    at, weight = np.polynomial.legendre.leggauss(nodes)
    out = np.zeros((len(h), *references.shape))
    for r, start in enumerate(references.astype(np.float64)):
        for a, w in zip((at + 1) / 2, weight / 2, strict=True):
            points = torch.from_numpy(start + a * (h - start)).requires_grad_()
            (slope,) = torch.autograd.grad(body_in_float64(body, points).sum(), points)
            out[:, r] += w * slope.numpy()
    return out


@pytest.mark.parametrize("n_blocks", [1, 2, 3])
@pytest.mark.parametrize(("references", "nodes"), [(1, 1), (1, 7), (5, 4)])
def test_the_integral_equals_that_of_autograd_in_float64(n_blocks: int, references: int, nodes: int) -> None:
    body, h, start = body_of(n_blocks), codes(40, 1), codes(references, 2)
    before = h.copy()
    wanted, found = by_autograd(body, h, start, nodes), path_gradients(body, h, start, nodes)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(h, before)
    assert np.abs(wanted).mean() > 0.01


def test_how_many_points_pass_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    body, h, start = body_of(2), codes(17, 1), codes(3, 2)
    whole = path_gradients(body, h, start, 4)
    for points in (1, 24, 60):
        monkeypatch.setattr(paths, "_POINTS", points)
        np.testing.assert_allclose(path_gradients(body, h, start, 4), whole, rtol=1e-5, atol=1e-6)


def test_a_line_of_no_length_has_the_gradient_of_its_point() -> None:
    body, h = body_of(2), codes(4, 1)
    found = path_gradients(body, h, h, 3)
    np.testing.assert_allclose(
        found[np.arange(4), np.arange(4)], by_autograd(body, h, h, 1)[np.arange(4), np.arange(4)], atol=1e-4
    )


@pytest.mark.parametrize("n_factored", [2, 3])
@pytest.mark.parametrize("nodes", [1, 4])
def test_the_term_of_a_factorisation_is_integrated_exactly(n_factored: int, nodes: int) -> None:
    body, width = body_of(2, n_factored), 6 + 2 * n_factored
    h, start = codes(30, 1, width), codes(4, 2, width)
    found = path_gradients(body, h, start, nodes)
    np.testing.assert_allclose(found, by_autograd(body, h, start, nodes), rtol=1e-4, atol=1e-5)
    assert found.shape == (30, 4, width)
    said = body(torch.from_numpy(h)).detach().numpy()
    np.testing.assert_allclose(said, body_in_float64(body, torch.from_numpy(h).double()).detach(), rtol=1e-4, atol=1e-4)
