"""Each kernel and its alternative in one group: pytest-benchmark prints the ratio of the two beside their times.

Nothing here asserts a time, since the machine is shared. What is asserted is that both compute the same.

    pytest tests/benchmarks --benchmark-columns=median --benchmark-group-by=group
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from torch import nn

from jobs.data.correlation import correlated_pairs
from jobs.data.design import take_columns
from jobs.data.kernels import column_moments, column_places
from jobs.data.scaling import fit_scaler
from jobs.net.backprop import Backprop
from jobs.net.codes import CodeOptimizer, codes_gradient, codes_of
from jobs.net.linear import fit_ridge
from jobs.net.paths import path_gradients
from jobs.net.resnet import Body, BodyShape
from jobs.net.tasks import BINARY
from jobs.net.threads import compute_on
from jobs.selection.attribution import explain, explain_from_zero
from jobs.selection.calibration import Calibration
from jobs.selection.crossfit import Fold, saying_of
from jobs.selection.gain import held_out_evidence
from tests.jobs.tables import counts, draw_labels, mixed_design
from tests.jobs.trained_nets import awaken, body_in_float64, random_net

N_ROWS, N_COLUMNS, D = 4000, 400, 128
Z = counts(1, N_ROWS, N_COLUMNS, (0.003, 0.1))
Y = draw_labels(Z[:, :5].sum(axis=1) - 1.0, 2)
ROWS = np.random.default_rng(3).permutation(N_ROWS)[:1024]
ALL = np.arange(N_ROWS)
W = np.random.default_rng(4).normal(size=(N_COLUMNS, D)).astype(np.float32)
G = np.random.default_rng(5).normal(size=(len(ROWS), D)).astype(np.float32)
H = torch.from_numpy(codes_of(Z, ROWS, W))
SHAPE = BodyShape(d_block=D, hidden_dropout=0.0, residual_dropout=0.0)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    compute_on(1)


def timed(benchmark: BenchmarkFixture, group: str, work: Callable[[], object]) -> object:
    """Time some rounds of `work` under the name of a group, after one that compiles; return its result."""
    benchmark.group = group
    return benchmark.pedantic(work, rounds=5, iterations=1, warmup_rounds=1)


def awake_body() -> Body:
    body = Body(SHAPE, 1)
    awaken(body, 2)
    return body


@pytest.mark.parametrize("way", ["winnow", "scipy"])
def test_codes_of_a_minibatch(benchmark: BenchmarkFixture, way: str) -> None:
    ways = {"winnow": lambda: codes_of(Z, ROWS, W), "scipy": lambda: Z[ROWS] @ W}
    np.testing.assert_allclose(timed(benchmark, "codes", ways[way]), Z[ROWS].toarray() @ W, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("way", ["winnow", "scipy"])
def test_gradient_of_the_codes(benchmark: BenchmarkFixture, way: str) -> None:
    ways = {"winnow": lambda: codes_gradient(Z, ROWS, G), "scipy": lambda: Z[ROWS].T @ G}
    np.testing.assert_allclose(timed(benchmark, "gradient", ways[way]), Z[ROWS].toarray().T @ G, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("way", ["winnow", "torch on all columns"])
def test_step_of_the_codes(benchmark: BenchmarkFixture, way: str) -> None:
    gradient, codes = codes_gradient(Z, ROWS, G), W.copy()
    parameter = nn.Parameter(torch.from_numpy(W.copy()))
    parameter.grad = torch.from_numpy(gradient)
    ours, theirs = CodeOptimizer(codes, 1e-3, 3.0), torch.optim.Adam([parameter], lr=1e-3, fused=True)
    timed(benchmark, "step", {"winnow": lambda: ours.step(gradient), "torch on all columns": theirs.step}[way])
    assert np.abs((codes if way == "winnow" else parameter.detach().numpy()) - W).max() > 1e-3


@pytest.mark.parametrize("way", ["winnow", "autograd"])
def test_a_minibatch_through_the_body_and_back(benchmark: BenchmarkFixture, way: str) -> None:
    body, reference = awake_body(), awake_body().train()
    passing, slope = Backprop(body, SHAPE, 1), torch.ones(len(H))

    def by_autograd() -> torch.Tensor:
        h = H.clone().requires_grad_()
        reference(h).backward(slope)
        return h.grad

    def by_hand() -> torch.Tensor:
        passing.forward(H)
        return passing.backward(slope)

    found = timed(benchmark, "body", {"winnow": by_hand, "autograd": by_autograd}[way])
    torch.testing.assert_close(found, by_autograd(), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("way", ["winnow", "scikit-learn"])
def test_ridge(benchmark: BenchmarkFixture, way: str) -> None:
    def theirs() -> np.ndarray:
        return LogisticRegression(C=0.1, tol=1e-5, max_iter=500).fit(Z[ALL], Y[ALL]).coef_[0]

    found = timed(benchmark, "ridge", {"winnow": lambda: fit_ridge(Z, Y, ALL, 0.1).w, "scikit-learn": theirs}[way])
    np.testing.assert_allclose(found, fit_ridge(Z, Y, ALL, 0.1).w, atol=2e-2)


@pytest.mark.parametrize("way", ["winnow", "scipy", "numpy"])
def test_correlations(benchmark: BenchmarkFixture, way: str) -> None:
    def by_scipy() -> int:
        product, mean = (Z.T @ Z).toarray() / N_ROWS, Z.mean(axis=0)
        return strong((product - np.outer(mean, mean)) / np.outer(deviation, deviation))

    def strong(r: np.ndarray) -> int:
        return int((np.abs(np.triu(r, 1)) >= 0.5).sum())

    deviation = Z.toarray().std(axis=0)
    ways = {
        "winnow": lambda: len(correlated_pairs(Z, ALL, 0.5).r),
        "scipy": by_scipy,
        "numpy": lambda: strong(np.corrcoef(Z.toarray(), rowvar=False)),
    }
    assert timed(benchmark, "correlations", ways[way]) == len(correlated_pairs(Z, ALL, 0.5).r)


@pytest.mark.parametrize("way", ["winnow", "scipy"])
def test_columns_taken(benchmark: BenchmarkFixture, way: str) -> None:
    kept = np.arange(0, N_COLUMNS, 2)
    ways = {"winnow": lambda: take_columns(Z, kept), "scipy": lambda: csr_array(Z[:, kept])}
    found = timed(benchmark, "columns", ways[way])
    np.testing.assert_array_equal(found.toarray(), Z.toarray()[:, kept])


@pytest.mark.parametrize("way", ["winnow", "scipy"])
def test_moments_and_places_of_columns(benchmark: BenchmarkFixture, way: str) -> None:
    def ours() -> np.ndarray:
        column_places(Z.indptr, Z.indices, ROWS, N_COLUMNS)
        return column_moments(Z.indptr, Z.indices, Z.data, ROWS, N_COLUMNS)[0]

    ways = {"winnow": ours, "scipy": lambda: Z[ROWS].tocsc().sum(axis=0)}
    np.testing.assert_allclose(timed(benchmark, "places", ways[way]), Z[ROWS].toarray().sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize("way", ["winnow", "numpy on a dense table"])
def test_extremes(benchmark: BenchmarkFixture, way: str) -> None:
    ways = {
        "winnow": lambda: fit_scaler(Z, ROWS, log1p=False).high,
        "numpy on a dense table": lambda: Z[ROWS].toarray().max(axis=0),
    }
    np.testing.assert_array_equal(timed(benchmark, "extremes", ways[way]), Z[ROWS].toarray().max(axis=0))


@pytest.mark.parametrize("way", ["winnow", "autograd"])
def test_gradients_along_a_path(benchmark: BenchmarkFixture, way: str) -> None:
    design = mixed_design(Z, (), ALL)
    net = random_net(design, 1, D)
    h, zero = codes_of(Z, ROWS[:256], net.W), np.zeros((1, D), np.float32)

    def by_autograd() -> np.ndarray:
        at, weight = np.polynomial.legendre.leggauss(4)
        total = np.zeros_like(h)
        for a, w in zip((at + 1) / 2, weight / 2, strict=True):
            points = torch.from_numpy((a * h).astype(np.float32)).requires_grad_()
            (slope,) = torch.autograd.grad(net.body(points).sum(), points)
            total += np.float32(w) * slope.numpy()
        return total

    ways = {"winnow": lambda: path_gradients(net.body, h, zero, 4)[:, 0], "autograd": by_autograd}
    exact = torch.from_numpy(h[:1].astype(np.float64))
    assert torch.isfinite(body_in_float64(net.body, exact)).all()
    np.testing.assert_allclose(timed(benchmark, "path", ways[way]), by_autograd(), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("way", ["winnow, zero", "winnow, 8 rows"])
def test_attributions(benchmark: BenchmarkFixture, way: str) -> None:
    design = mixed_design(Z, (), ALL)
    net, rows = random_net(design, 1, D), ROWS[:128]
    ways = {
        "winnow, zero": lambda: next(explain_from_zero(net, design, rows, 4, [].append)),
        "winnow, 8 rows": lambda: next(explain(net, design, rows, ALL[:8], 4, [].append)),
    }
    block = timed(benchmark, "attributions", ways[way])
    assert np.median(np.abs(block.gap)) < 0.1 * np.abs(net.logits(Z, rows)).mean()  # a net of random weights is rough


@pytest.mark.parametrize("way", ["winnow", "all rows of every column"])
def test_evidence(benchmark: BenchmarkFixture, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    design = mixed_design(Z, (), ALL)
    net = random_net(design, 1, 16)
    quiet = Calibration(0.05, 0.0)
    rows, seen = ALL[:1500], ALL[1500:]

    fold = Fold(net, {}, design, seen, rows, quiet, quiet.apply(net.logits(design.Z, rows)))

    def work() -> np.ndarray:
        saying = saying_of(fold, Y, BINARY, 0, Y)
        return held_out_evidence(net, saying, design, design, Y, rows, seen, 2).points

    wanted = work()
    if way != "winnow":
        monkeypatch.setattr("jobs.selection.gain._EXACT_COVERAGE", -1.0)
    np.testing.assert_allclose(timed(benchmark, "evidence", work), wanted, atol=0.02 * np.abs(wanted).max())
