"""Held-out evidence: sums over zero entries in closed form against every entry summed, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binom

from jobs.data.dataset import Design
from jobs.data.design import append_codes, bend_numbers, take_columns
from jobs.data.knots import fit_bends
from jobs.data.split import Split
from jobs.net.linear import LinearModel
from jobs.net.resnet import BodyShape
from jobs.net.tasks import BINARY
from jobs.net.training import Net, TrainingPlan
from jobs.selection.calibration import Calibration, calibrate
from jobs.selection.crossfit import Fold, collect_evidence, cross_fit, saying_of
from jobs.selection.gain import Evidence, held_out_evidence
from jobs.selection.held_out import HeldOut
from jobs.selection.ranking import MIN_NULL_WIDTH, hear, score_tail, score_z, select_columns
from tests.jobs.tables import categories, csr_of, draw_labels, mixed_design
from tests.jobs.trained_nets import DenseNet, body_in_float64, random_net

N = 500
HELD, SEEN = np.arange(0, N, 2), np.arange(1, N, 2)
CALIBRATION = Calibration(0.8, 0.1)
SPARSE, DENSE, CATEGORICAL = slice(0, 16), slice(16, 20), slice(20, 22)


def mixed(size: float = 1.0) -> tuple[Net, Design, np.ndarray]:
    """Sixteen sparse columns, four dense ones far from zero, two categorical ones. `size`: of all codes."""
    random = np.random.default_rng(1)
    dense = random.normal(1.0, 0.5, (N, 20)) * (random.random((N, 20)) < 0.05)
    dense[:, DENSE] = random.normal(3, 1, (N, 4))
    colour = categories("colour", random.choice(["red", "green", "blue"], N).tolist())
    flag = categories("flag", random.choice(["yes", None], N, p=[0.05, 0.95]).tolist())
    design = mixed_design(csr_of(dense), (colour, flag), np.arange(N))
    net = random_net(design, 3)
    net = Net(LinearModel(net.linear.w * np.float32(size), -0.4), net.W * np.float32(0.3 * size), net.body, net.history)
    y = draw_labels(DenseNet(net)(torch.from_numpy(design.Z.toarray())).detach().numpy()[:, 0], 4)
    return net, design, y


def attributions_of_codes(net: Net, design: Design, nodes: int) -> np.ndarray:
    """(len(HELD), n_codes) in one array."""
    Z = design.Z.toarray().astype(np.float64)
    mean = Z[SEEN].mean(axis=0)
    at, weight = np.polynomial.legendre.leggauss(nodes)
    start, ends = torch.from_numpy(mean @ net.W), torch.from_numpy(Z[HELD] @ net.W)
    slope = np.zeros((len(HELD), net.W.shape[1]))
    for a, w in zip((at + 1) / 2, weight / 2, strict=True):
        h = (start + a * (ends - start)).requires_grad_()
        (gradient,) = torch.autograd.grad(body_in_float64(net.body, h).sum(), h)
        slope += w * gradient.numpy()
    return (Z[HELD] - mean) * (slope @ net.W.T + net.linear.w) * CALIBRATION.slope


def by_brute_force(net: Net, design: Design, y: np.ndarray, nodes: int) -> np.ndarray:
    """Sums of gain, score, tested score and its moments, (n_columns, 5), from all attributions in one array."""
    Z, by_code = design.Z.toarray().astype(np.float64), attributions_of_codes(net, design, nodes)
    phi = np.stack([by_code[:, design.owner == k].sum(axis=1) for k in range(len(design.columns))], axis=1)
    delta = phi - phi.mean(axis=0)
    f = CALIBRATION.apply(DenseNet(net)(torch.from_numpy(Z[HELD])).detach().numpy())
    label = y[HELD].astype(np.float64)[:, None]
    gain = np.logaddexp(0, f - delta) - label * (f - delta) - (np.logaddexp(0, f) - label * f)
    p = 1 / (1 + np.exp(delta - f))
    points, bent = delta * (label - p), delta.copy()
    for k in np.arange(len(design.columns))[DENSE]:  # what value and presence say is another test's
        x = Z[HELD][:, design.starts[k]]
        root = np.sqrt(1 / (2 + np.exp(f) + np.exp(-f))).reshape(-1, 1)
        base = np.stack([np.ones(len(x)), x, x != 0], axis=1)
        bent[:, k] -= base @ np.linalg.lstsq(base * root, delta[:, [k]] * root, rcond=None)[0][:, 0]
    bent -= bent.mean(axis=0)
    p = 1 / (1 + np.exp(bent - f))
    score, variance, third = bent * (label - p), bent**2 * p * (1 - p), bent**3 * p * (1 - p) * (1 - 2 * p)
    return np.stack([each.sum(axis=0) for each in (gain, points, score, variance, third)], axis=1)


def fold_of(net: Net, calibration: Calibration, design: Design, held: np.ndarray, seen: np.ndarray) -> Fold:
    return Fold(net, {}, design, seen, held, calibration, calibration.apply(net.logits(design.Z, held)))


def evidence_of(
    net: Net,
    calibration: Calibration,
    design: Design,
    y: np.ndarray,
    held: np.ndarray,
    seen: np.ndarray,
    factor: np.ndarray | None = None,
) -> Evidence:
    saying = saying_of(fold_of(net, calibration, design, held, seen), y, BINARY, 0, y)
    return held_out_evidence(net, saying, design, design, y, held, seen, 4, factor)


def sums(evidence: Evidence) -> np.ndarray:
    each = evidence.gain, evidence.points, evidence.score, evidence.variance, evidence.third_moment
    return np.stack(each, axis=1)


def errors(net: Net, design: Design, y: np.ndarray) -> np.ndarray:
    """Return (n_columns, 5) differences: gain and scores in standard errors, moments relative to the second."""
    wanted = by_brute_force(net, design, y, 4)
    found = sums(evidence_of(net, CALIBRATION, design, y, HELD, SEEN))
    unit = np.maximum(wanted[:, [3, 3, 3, 3, 3]], 1e-6) ** [0.5, 0.5, 0.5, 1, 1.5]
    return np.abs(found - wanted) / unit


def test_dense_and_categorical_columns_equal_the_brute_force_sums() -> None:
    error = errors(*mixed())
    assert error[DENSE].max() < 1e-4
    assert error[CATEGORICAL].max() < 1e-4


def test_sparse_columns_equal_the_brute_force_sums_to_second_order() -> None:
    error = errors(*mixed())[SPARSE]
    assert error[:, :3].max() < 5e-3  # of a standard error
    assert error[:, 3:].max() < 2e-2


def test_the_error_of_the_closed_form_is_of_third_order() -> None:
    found = []
    for size in (0.5, 0.25):
        net, design, y = mixed(size)
        net = Net(net.linear, np.zeros_like(net.W), net.body, net.history)
        wanted = by_brute_force(net, design, y, 4)
        closed = sums(evidence_of(net, CALIBRATION, design, y, HELD, SEEN))
        found.append(np.abs(closed - wanted)[SPARSE][:, [0, 2]].sum(axis=0))
    assert (found[0] / found[1] > 5).all()  # 8 in the limit


def test_the_z_of_the_score_is_its_sum_over_its_standard_error_in_all_folds() -> None:
    def fold(score: list[float], variance: list[float]) -> Evidence:
        nothing = HeldOut(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
        return Evidence(nothing, np.zeros(2), np.zeros(2), np.array(score), np.array(variance), np.zeros(2))

    folds = [fold([1.0, 0], [2.0, 0]), fold([3.0, 0], [7.0, 0])]
    np.testing.assert_allclose(score_z(folds), [4 / 3, 0])


@pytest.mark.parametrize(("rows", "share"), [(12, 0.02), (60, 0.02), (12, 0.2), (400, 0.5)])
def test_the_tail_of_the_score_is_that_of_the_labels_however_few_have_them(rows: int, share: float) -> None:
    """A normal tail is wrong by ten powers of ten for three of twelve rows where one in fifty is expected."""
    hits = np.arange(1, rows + 1)
    hits = hits[(binom.sf(hits - 1, rows, share) < 0.05) & (binom.sf(hits - 1, rows, share) > 1e-9)]
    variance = rows * share * (1 - share)
    nothing = HeldOut(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
    score, same = hits - rows * share, np.ones(len(hits))
    fold = Evidence(nothing, score, score, score, variance * same, variance * (1 - 2 * share) * same)
    mid_p = binom.sf(hits, rows, share) + binom.pmf(hits, rows, share) / 2
    tail = score_tail([fold], same / MIN_NULL_WIDTH)
    assert (tail > 0.6 * mid_p).all()
    assert (np.log(tail) < 0.6 * np.log(mid_p)).all()


def test_the_effect_of_a_linear_net_is_its_calibrated_weights() -> None:
    net, design, y = mixed()
    net = Net(net.linear, np.zeros_like(net.W), net.body, net.history)
    found = evidence_of(net, CALIBRATION, design, y, HELD, SEEN).held_out
    weights = net.linear.w * (np.diff(design.Z[HELD].tocsc().indptr) > 0)  # of a code that no row has: nothing
    np.testing.assert_allclose(found.effect, 0.8 * weights, rtol=1e-5)
    np.testing.assert_array_equal(found.rows, HELD)
    np.testing.assert_allclose(found.f, CALIBRATION.apply(net.logits(design.Z, HELD)))


@pytest.mark.parametrize("has_factor", [False, True])
def test_the_effect_of_a_code_is_the_slope_of_what_the_net_says_of_it(has_factor: bool) -> None:
    """Not the mean gradient: a net that bends is steeper elsewhere."""
    net, design, y = mixed(4.0)
    factor = design.Z @ np.random.default_rng(5).normal(size=design.n_codes) if has_factor else None
    found = evidence_of(net, CALIBRATION, design, y, HELD, SEEN, factor).held_out
    Z, phi = design.Z.toarray()[HELD], attributions_of_codes(net, design, 4)
    root = np.sqrt(BINARY.family(found.f, y[HELD]).weights(found.f))[:, None]
    for code in np.flatnonzero((Z != 0).any(axis=0)):
        base = np.stack([Z[:, code], np.ones(len(Z)), *([] if factor is None else [factor[HELD]])], axis=1)
        slope = np.linalg.lstsq(base * root, phi[:, [code]] * root, rcond=None)[0]
        assert found.effect[code] == pytest.approx(slope[0, 0], rel=1e-3, abs=1e-4)


def test_the_effect_of_a_number_is_its_line_and_what_bends_beside_it() -> None:
    """Whatever the hats hold, value and hats together say what the net says of the column."""
    net, design, y = mixed()
    Z = take_columns(design.Z, np.arange(design.n_numeric))
    counts = np.diff(Z.tocsc().indptr)
    tested = bend_numbers(design, fit_bends(Z, np.arange(Z.shape[0]), counts))
    common = np.flatnonzero(np.diff(tested.starts)[: design.n_numeric] > 1)
    assert len(common)
    saying = saying_of(fold_of(net, CALIBRATION, design, HELD, SEEN), y, BINARY, 0, y)
    plain = held_out_evidence(net, saying, design, design, y, HELD, SEEN, 4)
    bent = held_out_evidence(net, saying, design, tested, y, HELD, SEEN, 4)
    others = np.setdiff1d(np.arange(design.n_codes), design.starts[common])
    along = bent.held_out.effect[tested.plain_codes]
    np.testing.assert_allclose(along[others], plain.held_out.effect[others], rtol=1e-6)
    for k in common:
        assert bent.variance[k] <= plain.variance[k] * 1.001
        assert np.abs(bent.held_out.effect[tested.starts[k] + 1 : tested.starts[k + 1]]).max() > 0


def test_what_learned_codes_say_is_put_down_to_the_plain_ones_of_their_column() -> None:
    """Hats of a date, numbers of an encoder: the test knows none of them, so what they say must be put back too."""
    net, design, y = mixed()
    (colour,) = design.codes_of(["colour"])
    said = 2 * design.Z[:, colour[:1]].toarray()
    more = append_codes(design, "colour", said)
    W, w = (np.insert(each, colour[-1] + 1, 0, axis=0) for each in (net.W, net.linear.w))
    w[colour[-1] + 1] = 0.3
    learned = Net(replace(net.linear, w=w), W, net.body, net.history)
    found = []
    saying = saying_of(fold_of(learned, CALIBRATION, more, HELD, SEEN), y, BINARY, 0, y)  # for both: weights of rows
    for own, of_net in ((design, net), (more, learned)):
        found.append(held_out_evidence(of_net, saying, own, design, y, HELD, SEEN, 4).held_out.effect)
    further = found[1] - found[0]
    np.testing.assert_allclose(further[colour[0]] - further[colour[1:3]], 2 * 0.3 * CALIBRATION.slope, rtol=1e-3)
    np.testing.assert_allclose(np.delete(further, colour), 0, atol=1e-3)


def test_a_net_that_points_the_wrong_way_gives_no_evidence() -> None:
    net, design, y = mixed()
    evidence = evidence_of(net, Calibration(0.0, -1.0), design, y, HELD, SEEN)
    np.testing.assert_allclose(sums(evidence), 0, atol=1e-12)
    np.testing.assert_array_equal(score_z([evidence]), 0)


@pytest.mark.parametrize("seed", [7, 8])
def test_columns_of_noise_far_from_zero_inherit_nothing_through_the_gradients(seed: int) -> None:
    """Against a zero background 50 and more of these 70 columns of noise are selected."""
    random = np.random.default_rng(seed)
    X = random.normal(5, 1, (4000, 80)).astype(np.float32)
    held, seen = np.arange(2000, 4000), np.arange(2000)
    design = mixed_design(csr_of(X), (), seen)
    net = random_net(design, 3)
    W = random.normal(size=(80, 8)).astype(np.float32) * np.float32(0.4)
    W -= W[:10].mean(axis=0)  # the codes of the mean row cancel
    W[10:] = 0
    truth = Net(LinearModel(np.zeros(80, np.float32), 0.0), W, net.body, net.history)
    f = truth.logits(design.Z, np.arange(4000))
    y = draw_labels(f - f.mean(), 8)
    noise = random.normal(size=(70, 8)) * 0.1  # what a net overfits
    overfit = Net(truth.linear, np.vstack([W[:10], noise - noise.mean(axis=0)]).astype(np.float32), net.body, ())
    calibration = calibrate(overfit.logits(design.Z, held), y[held])
    evidence = evidence_of(overfit, calibration, design, y, held, seen)
    selected = select_columns(
        [hear([evidence], design, design, y, np.arange(len(y)))], np.zeros(80), 0.1, design, np.arange(len(y))
    ).selected
    assert selected[:10].sum() >= 7
    assert selected[10:].sum() <= 2


def test_trained_nets_select_the_true_columns_among_columns_far_from_zero() -> None:
    random = np.random.default_rng(7)
    X = random.normal(5, 1, (3000, 80)).astype(np.float32)
    y = draw_labels((X[:, :10] - 5) @ np.full(10, 0.5), 8)
    rows = random.permutation(2400)
    folds = tuple(np.sort(part) for part in np.array_split(rows, 3))
    split = Split(
        np.arange(2400), np.arange(2400, 3000), np.arange(0), folds, np.arange(3000), np.zeros(3000, np.int64)
    )
    design = mixed_design(csr_of(X / np.ptp(X, axis=0)), (), split.train)
    plan = TrainingPlan(BodyShape(n_blocks=1, d_block=16), epochs=6, patience=6, learning_rate=3e-3, code_penalty=0.5)
    ensemble = cross_fit(design, design, y, split, (3.0,), plan, 2, lambda *_: None)
    evidence = collect_evidence(ensemble, design, y, y, 2, lambda: None)
    selected = select_columns(
        [hear(evidence, design, design, y, split.clusters)], np.zeros(80), 0.1, design, np.arange(len(y))
    ).selected
    assert selected[:10].all()
    assert selected[10:].sum() <= 2
