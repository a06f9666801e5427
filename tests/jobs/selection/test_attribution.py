"""Attributions in code space equal integrated gradients over the dense input, and shap's own estimate of them."""

import warnings

import numpy as np
import pytest
import torch

from jobs.data.dataset import Design
from jobs.net.threads import compute_on
from jobs.net.training import Net
from jobs.selection import attribution
from jobs.selection.attribution import Attributions, explain, explain_from_zero
from tests.jobs.tables import categories, csr_of, mixed_design, random_dense
from tests.jobs.trained_nets import DenseNet, by_column, integrated_gradients, random_net

ROWS = np.array([3, 5, 8, 13, 21, 34])
BACKGROUND = np.array([0, 1, 2, 40, 41, 42, 43])


def mixed() -> tuple[Net, Design]:
    """Ten numeric columns, two of them far from zero, and two categorical ones; a net with much to say about them."""
    random = np.random.default_rng(1)
    dense = random_dense(2, 60, 10, 0.5)
    dense[:, 8:] += 2
    colour = categories("colour", random.choice(["red", "green", "blue"], 60).tolist())
    size = categories("size", random.choice(["S", "M", "L", "XL"], 60).tolist())
    design = mixed_design(csr_of(dense), (colour, size), np.arange(60))
    return random_net(design, 3), design


def explained(net: Net, design: Design, background: np.ndarray, nodes: int) -> Attributions:
    (block,) = explain(net, design, ROWS, background, nodes, [].append)
    return block


@pytest.mark.parametrize("background", [BACKGROUND[:1], BACKGROUND], ids=["one row", "seven rows"])
def test_attributions_equal_dense_integrated_gradients_over_input_space(background: np.ndarray) -> None:
    net, design = mixed()
    dense = design.Z.toarray().astype(np.float64)
    wanted = by_column(integrated_gradients(net, dense[ROWS], dense[background], 64), design)
    found = explained(net, design, background, 64).phi
    for kind in (slice(None, design.n_numeric), slice(design.n_numeric, None)):
        error = np.linalg.norm(found[:, kind] - wanted[:, kind], axis=1) / np.linalg.norm(wanted[:, kind], axis=1)
        assert error.max() < 1e-4
        assert np.abs(wanted[:, kind]).mean() > 0.05


def test_the_sum_of_attributions_is_the_difference_of_outputs_within_the_reported_gap() -> None:
    net, design = mixed()
    dense = torch.from_numpy(design.Z.toarray())
    f = DenseNet(net)(dense).detach().numpy()[:, 0]
    block = explained(net, design, BACKGROUND, 4)
    missed = block.phi.sum(axis=1) - (f[ROWS] - f[BACKGROUND].mean())
    np.testing.assert_allclose(missed, block.gap, atol=1e-5)
    assert np.abs(block.gap).max() > 1e-4  # four nodes do miss something: the gap has something to tell


def test_the_gap_goes_to_zero_with_the_nodes() -> None:
    net, design = mixed()
    gaps = [np.abs(explained(net, design, BACKGROUND, nodes).gap).mean() for nodes in (1, 8, 64, 512)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.01
    assert gaps[-1] < gaps[0] / 100


def test_a_linear_net_is_explained_exactly_by_one_node() -> None:
    net, design = mixed()
    silent = type(net)(net.linear, np.zeros_like(net.W), net.body, net.history)
    dense = design.Z.toarray().astype(np.float64)
    wanted = by_column((dense[ROWS] - dense[BACKGROUND].mean(axis=0)) * net.linear.w, design)
    block = explained(silent, design, BACKGROUND, 1)
    np.testing.assert_allclose(block.phi, wanted, atol=1e-6)
    assert np.abs(block.gap).max() < 1e-5


def test_a_row_explained_against_itself_has_no_attributions() -> None:
    net, design = mixed()
    (block,) = explain(net, design, np.array([7]), np.array([7]), 4, [].append)
    np.testing.assert_allclose(block.phi, 0, atol=1e-6)


def test_shap_agrees_within_its_own_noise() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its plots use what matplotlib deprecates
        import shap  # noqa: PLC0415
    net, design = mixed()
    dense = torch.from_numpy(design.Z.toarray().astype(np.float64))
    explainer = shap.GradientExplainer(DenseNet(net), dense[BACKGROUND], batch_size=500)
    runs = np.stack(
        [
            by_column(np.asarray(explainer.shap_values(dense[ROWS[:3]], nsamples=3000, rseed=seed))[..., 0], design)
            for seed in range(6)
        ]
    )
    noise = runs.std(axis=0, ddof=1)
    found = explained(net, design, BACKGROUND, 64).phi[:3]
    z = (runs.mean(axis=0) - found) / (noise / np.sqrt(len(runs)) + 1e-4)
    assert np.abs(z).max() < 6  # Student's t with 5 degrees of freedom, 36 entries
    assert np.sqrt(np.mean(z**2)) < 2
    assert np.linalg.norm(noise) < 0.1 * np.linalg.norm(found)


def test_blocks_and_threads_change_no_bit() -> None:
    net, design = mixed()
    rows = np.tile(ROWS, 100)
    results = []
    for threads in (1, 2):
        compute_on(threads)
        told: list[int] = []
        blocks = list(explain(net, design, rows, BACKGROUND, 3, told.append))
        assert len(blocks) > 1
        assert sum(told) == len(rows)
        results.append(np.concatenate([block.phi for block in blocks]))
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0][:6], results[0][-6:], atol=1e-6)


def test_no_rows_are_explained_by_nothing() -> None:
    net, design = mixed()
    assert list(explain(net, design, ROWS[:0], BACKGROUND, 3, [].append)) == []


def test_sparse_attributions_equal_integrated_gradients_from_the_row_of_zeros() -> None:
    net, design = mixed()
    dense = design.Z.toarray().astype(np.float64)
    wanted = by_column(integrated_gradients(net, dense[ROWS], np.zeros((1, design.n_codes)), 64), design)
    (block,) = explain_from_zero(net, design, ROWS, 64, [].append)
    error = np.linalg.norm(block.phi.toarray() - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    assert error.max() < 1e-4
    f = DenseNet(net)(torch.from_numpy(np.vstack([dense[ROWS], np.zeros(design.n_codes)]))).detach().numpy()[:, 0]
    np.testing.assert_allclose(block.phi.sum(axis=1) - (f[:-1] - f[-1]), block.gap, atol=1e-5)


def test_sparse_attributions_are_as_sparse_as_the_rows_and_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    net, design = mixed()
    whole = next(explain_from_zero(net, design, ROWS, 4, [].append))
    monkeypatch.setattr(attribution, "_SPARSE_ROWS", 4)
    told = []
    blocks = list(explain_from_zero(net, design, ROWS, 4, told.append))
    assert told == [4, 2]
    np.testing.assert_array_equal(np.concatenate([block.rows for block in blocks]), ROWS)
    np.testing.assert_array_equal(np.vstack([block.phi.toarray() for block in blocks]), whole.phi.toarray())
    assert whole.phi.nnz == design.Z[ROWS].nnz
    assert whole.phi.has_canonical_format
