"""The factorisation term: its value, its gradient, and what a net learns with it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from jobs.data.design import Block, design_of
from jobs.net.factors import Factors, term, term_gradient
from jobs.net.linear import fit_ridge
from jobs.net.resnet import BodyShape
from jobs.net.training import Net, TrainingPlan, train_net
from jobs.selection.attribution import explain
from tests.jobs.tables import categories, csr_of, draw_labels, mixed_design

ROWS, VALID, TEST = np.arange(5000), np.arange(5000, 6000), np.arange(6000, 8000)


@pytest.mark.parametrize("n_columns", [2, 3, 5])
def test_the_term_is_the_sum_over_pairs_and_its_gradient_that_of_autograd(n_columns: int) -> None:
    sums = np.random.default_rng(1).normal(size=(20, 4 * n_columns)).astype(np.float32)
    at = torch.from_numpy(sums).double().requires_grad_()
    s = at.reshape(20, n_columns, 4)
    wanted = sum((s[:, j] * s[:, k]).sum(dim=1) for j in range(n_columns) for k in range(j))
    (slope,) = torch.autograd.grad(wanted.sum(), at)
    np.testing.assert_allclose(term(torch.from_numpy(sums), n_columns), wanted.detach(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(term_gradient(sums, n_columns), slope, rtol=1e-4, atol=1e-5)


def test_each_column_has_a_place_of_its_own() -> None:
    Z = csr_of(np.ones((3, 7)))
    found = Factors(Z, (np.array([1, 2]), np.array([4, 5, 6])), 2, 1e-3, 1).coordinates()
    is_there = found != 0
    assert is_there.any(axis=1).tolist() == [False, True, True, False, True, True, True]
    assert is_there[1:3].tolist() == [[True, True, False, False]] * 2
    assert is_there[4:].tolist() == [[False, False, True, True]] * 3


def matched() -> tuple:
    """8,000 pairs of 40 users and 30 items, which go together by three hidden tastes; nobody is liked by all."""
    random = np.random.default_rng(5)
    user, item = random.integers(0, 40, 8000), random.integers(0, 30, 8000)
    tastes, kinds = random.normal(size=(40, 3)), random.normal(size=(30, 3))
    y = draw_labels(2.0 * (tastes[user] * kinds[item]).sum(axis=1), 6)
    columns = [categories("user", [f"u{k:02d}" for k in user]), categories("item", [f"i{k:02d}" for k in item])]
    return mixed_design(csr_of(np.zeros((8000, 0))), columns, ROWS), y


def trained(n_factored: int) -> tuple[Net, float]:
    design, y = matched()
    plan = TrainingPlan(BodyShape(n_blocks=1, d_block=16, n_factors=8, n_factored=n_factored), epochs=30)
    factored = design.codes_of(("user", "item"))[:n_factored]
    linear = fit_ridge(design.Z, y, ROWS, 1.0)
    net = train_net(design.Z, y, ROWS, VALID, linear, plan, [].append, factored=factored)
    return net, float(roc_auc_score(y[TEST], net.logits(design.Z, TEST)))


def test_a_net_with_factors_learns_who_goes_with_what_and_one_without_hardly_does() -> None:
    (plain, without), (net, auc) = trained(0), trained(2)
    assert auc > 0.82
    assert auc > without + 0.05
    assert (plain.W.shape[1], net.W.shape[1]) == (16, 16 + 2 * 8)


def test_attributions_of_a_net_with_factors_add_up() -> None:
    design, _ = matched()
    net, _ = trained(2)
    (block,) = explain(net, design, TEST[:50], ROWS[:20], 32, [].append)
    assert np.abs(block.gap).max() < 0.02 * net.logits(design.Z, TEST).std()
    assert np.abs(block.phi).mean(axis=0).min() > 0.1


def test_a_column_of_several_codes_is_factorised_too() -> None:
    design, y = matched()
    shares = csr_of(design.Z.toarray()[:, :40] / 2 + np.roll(design.Z.toarray()[:, :40], 1, axis=1) / 2)
    other = design_of(csr_of(design.Z.toarray()[:, 40:]), [f"i{k}" for k in range(30)], [], [Block("users", shares)])
    shape = BodyShape(n_blocks=1, d_block=16, n_factors=4, n_factored=2)
    factored = (other.codes_of(["users"])[0], np.arange(30))
    linear = fit_ridge(other.Z, y, ROWS, 1.0)
    net = train_net(other.Z, y, ROWS, VALID, linear, TrainingPlan(shape, epochs=30), [].append, factored=factored)
    assert roc_auc_score(y[TEST], net.logits(other.Z, TEST)) > 0.65
