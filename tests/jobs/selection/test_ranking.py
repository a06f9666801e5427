"""From evidence to a verdict: three witnesses, one false discovery rate, the width of the null."""

import numpy as np
import pytest

from jobs.data.dataset import Design
from jobs.net.tasks import BERNOULLI, GAUSSIAN, Family
from jobs.selection.gain import Evidence
from jobs.selection.held_out import HeldOut
from jobs.selection.interactions import no_interactions
from jobs.selection.ranking import MIN_NULL_WIDTH, Selection, hear, select_columns, width_of_lower_half
from jobs.selection.ranking import Testimony as Heard  # pytest would take it for tests
from tests.jobs.tables import counts, csr_of, draw_labels, mixed_design

N = 4000
ALONE, PAIR, NOISE = 3, [10, 11], 30


def planted(order: np.ndarray | None = None) -> tuple[Design, np.ndarray]:
    """One column acts alone, two only together; `order`: of the columns."""
    X = counts(1, N, NOISE, (0.2, 0.4)).toarray()
    happened = (X > 0).astype(float)
    together = (happened[:, 10] - happened[:, 10].mean()) * (happened[:, 11] - happened[:, 11].mean())
    y = draw_labels(0.8 * happened[:, ALONE] + 8 * together - 0.3, 2)
    shown = X if order is None else X[:, order]
    return mixed_design(csr_of(shown), (), np.arange(N)), y


def judged(
    design: Design,
    y: np.ndarray,
    score: np.ndarray | None = None,
    gain: np.ndarray | None = None,
    of_trees: np.ndarray | None = None,
    factor: np.ndarray | None = None,
    family: Family = BERNOULLI,
) -> Selection:
    """The verdict where the nets know nothing of the columns but what `score` (in standard errors) says of them."""
    p, folds = design.n_codes, np.array_split(np.random.default_rng(3).permutation(N), 2)
    base = y.mean() if family.is_gaussian else np.log(y.mean() / (1 - y.mean()))
    evidence = [
        Evidence(
            HeldOut(rows, np.full(len(rows), base), np.full(len(rows), base), np.zeros(p), family),
            np.zeros(p) if gain is None else gain / 2,
            np.zeros(p) if score is None else score,
            np.zeros(p) if score is None else score / np.sqrt(2),
            np.ones(p),
            np.zeros(p),
        )
        for rows in folds
    ]
    return select_columns(
        [hear(evidence, design, design, y, np.arange(N), factor)],
        np.zeros(p) if of_trees is None else of_trees,
        0.1,
        design,
        np.arange(N),
    )


def judged_with(Z: np.ndarray, column: int, values: np.ndarray, y: np.ndarray) -> Selection:
    """The verdict with other values of a column."""
    changed = Z.copy()
    changed[:, column] = values
    return judged(mixed_design(csr_of(changed), (), np.arange(N)), y)


def test_columns_that_act_alone_or_together_are_selected_and_come_first() -> None:
    verdict = judged(*planted())
    assert {ALONE, *PAIR} <= set(np.flatnonzero(verdict.selected).tolist())
    assert verdict.selected.sum() <= 4
    assert sorted(verdict.rank[[ALONE, *PAIR]].tolist()) == [1, 2, 3]
    assert verdict.interactions.pairs.tolist() == [PAIR]
    np.testing.assert_array_equal(verdict.selected, verdict.q_value <= 0.1)
    np.testing.assert_array_equal(np.sort(verdict.rank), np.arange(1, NOISE + 1))


def test_a_column_that_selected_ones_determine_is_selected_behind_them() -> None:
    design, y = planted()
    Z = design.Z.toarray()
    own = Z[:, 20]
    loose, verdict = (judged_with(Z, 20, Z[:, ALONE] + share * own, y) for share in (0.5, 0.3))
    assert not loose.selected[20]
    assert np.flatnonzero(verdict.redundant).tolist() == [20]
    assert verdict.rank[20] == verdict.selected.sum()
    assert verdict.q_value[20] == verdict.q_value[verdict.selected].max()
    np.testing.assert_array_equal(verdict.selected, verdict.q_value <= 0.1)


def test_what_models_gain_of_a_column_counts_twice_among_what_is_not_selected() -> None:
    design, _ = planted()
    place = np.arange(3, NOISE + 3)
    first, last = place.copy(), place.copy()
    first[[4, 5]], last[[4, 5]] = (2, 1), (1, 2)  # tests find the first one surer, models gain more of the second
    p, n = 0.5 + last / 100, np.zeros(NOISE)
    heard = Heard(p, -first.astype(float), n, last, n, no_interactions(design), 1.0)
    verdict = select_columns([heard], -first.astype(float), 0.1, design, np.arange(N))
    assert not verdict.selected.any()
    assert verdict.rank[[4, 5]].tolist() == [2, 1]


def test_what_only_the_nets_see_is_selected_too() -> None:
    score = np.zeros(NOISE)
    score[20] = 8.0
    assert not judged(*planted()).selected[20]
    assert judged(*planted(), score).selected[20]


def test_what_only_the_nets_see_is_not_believed_where_columns_have_something_in_common() -> None:
    score = np.zeros(NOISE)
    score[20] = 8.0
    assert not judged(*planted(), score, factor=np.random.default_rng(7).normal(size=N)).selected[20]


def test_pairs_of_classes_are_believed_where_columns_have_something_in_common() -> None:
    alone, together = judged(*planted()), judged(*planted(), factor=np.random.default_rng(7).normal(size=N))
    assert alone.selected[PAIR].all()
    assert together.selected[PAIR].all()


def test_pairs_of_numbers_are_not_believed_where_columns_have_something_in_common() -> None:
    design, y = planted()
    amount, factor = (
        y + np.random.default_rng(8).normal(size=N).astype(np.float32),
        np.random.default_rng(7).normal(size=N),
    )
    alone, together = judged(design, amount, family=GAUSSIAN), judged(design, amount, factor=factor, family=GAUSSIAN)
    assert alone.selected[PAIR].all()
    assert not together.selected[PAIR].any()
    assert alone.interactions.pairs.tolist() == [PAIR]
    assert not len(together.interactions.pairs)


def test_the_order_of_the_columns_changes_no_verdict() -> None:
    order = np.random.default_rng(5).permutation(NOISE)
    gain = np.random.default_rng(6).normal(size=NOISE)
    one, other = judged(*planted(), gain=gain), judged(*planted(order), gain=gain[order])
    np.testing.assert_allclose(other.q_value, one.q_value[order], rtol=1e-4)
    np.testing.assert_allclose(other.score_z, one.score_z[order], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(other.rank, one.rank[order])


def test_columns_that_are_not_selected_are_ordered_by_their_worth() -> None:
    gain = np.zeros(NOISE)
    gain[[25, 26]] = 5.0, 9.0
    without, rank = judged(*planted()).rank, judged(*planted(), gain=gain).rank
    assert (rank[[25, 26]] < without[[25, 26]]).all()
    swapped = judged(*planted(), gain=gain[[*range(25), 26, 25, *range(27, NOISE)]]).rank
    assert rank[26] - rank[25] < swapped[26] - swapped[25]
    assert (rank[[25, 26]] < np.median(rank)).all()


def test_trees_have_a_voice_in_the_order_and_none_in_the_verdict() -> None:
    trees = np.zeros(NOISE)
    trees[[24, ALONE]] = 9.0, 5.0
    without, verdict = judged(*planted()), judged(*planted(), of_trees=trees)
    assert verdict.rank[24] < without.rank[24]
    np.testing.assert_array_equal(verdict.q_value, without.q_value)
    np.testing.assert_array_equal(verdict.rank[verdict.selected], without.rank[verdict.selected])


def test_stability_is_the_share_of_folds_that_agree() -> None:
    design, y = planted()
    verdict = judged(design, y, np.where(np.arange(NOISE) == 7, 1.0, -1.0))
    assert verdict.stability[7] == 1
    assert verdict.stability[8] == 0


def test_a_wide_null_is_taken_from_the_lower_half() -> None:
    lower = np.linspace(-6, -0.1, 30)
    z = np.concatenate([lower, -lower, np.full(4, 40.0), [0.0] * 9])
    assert np.median(z) == 0
    assert width_of_lower_half(z) == pytest.approx(np.sqrt(np.mean(lower**2)))


def test_true_columns_do_not_widen_the_null() -> None:
    noise = np.random.default_rng(1).normal(0, 1.6, 2000)
    with_signal = np.concatenate([noise, np.full(100, 12.0)])
    assert width_of_lower_half(with_signal) == pytest.approx(1.6, rel=0.1)


def test_a_null_left_of_zero_is_measured_around_its_own_centre() -> None:
    z = np.random.default_rng(1).normal(-0.5, 1.5, 4000)
    assert width_of_lower_half(z) == pytest.approx(1.5, rel=0.06)


def test_the_width_is_never_taken_below_the_least_nor_from_few_columns() -> None:
    assert width_of_lower_half(np.random.default_rng(1).normal(0, 0.5, 500)) == MIN_NULL_WIDTH
    assert width_of_lower_half(np.array([-50.0] * 10 + [50.0] * 10)) == MIN_NULL_WIDTH
