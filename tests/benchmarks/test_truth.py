"""A tenth of `make truth`, another one each day: one design at 2,000 rows; and what its tables and its page promise."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks.designs import DESIGNS, Truth
from benchmarks.selectors import PEERS
from benchmarks.stability import jaccard, selected_sets
from benchmarks.truth import Score, as_table, measure, page

ROWS = 2000
OF_TODAY = [*DESIGNS][datetime.now(UTC).toordinal() % len(DESIGNS)]


@pytest.mark.parametrize("design", [*DESIGNS])
def test_a_table_is_made_again_from_its_seed_and_holds_its_truth(design: str) -> None:
    one, other = (DESIGNS[design](np.random.default_rng(3), 500) for _ in range(2))
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_array_equal(one.X.toarray(), other.X.toarray())
    np.testing.assert_array_equal(one.true, other.true)
    number = {"interactions": 20, "dominant KPIs": 43, "curves": 12, "null": 0, "dense null": 0}
    number |= dict.fromkeys(("active users", "payers", "purchases", "uneven", "bent"), 8)
    assert len(one.true) == number.get(design, 40)
    if one.asks:
        assert one.asks["task"] == "regression"
        return
    assert one.probability.mean() == pytest.approx(0.02 if design == "2 % positives" else one.y.mean(), abs=0.06)


@pytest.mark.parametrize("design", sorted({OF_TODAY, "interactions", "null"}))
def test_what_is_selected_is_mostly_true(design: str) -> None:
    ours, by_shap, by_chance = measure(design, ROWS, 1000, ["winnow", "random"])
    assert [ours.method, by_shap.method, by_chance.method] == ["winnow", "mean abs SHAP of the net", "random"]
    assert ours.selected is not None
    assert ours.false_share is not None
    if design in {"null", "dense null"}:
        assert ours.selected <= 3
        return
    assert ours.false_share <= 0.4 or ours.selected <= 3
    assert ours.precision is not None
    assert by_chance.precision is not None
    assert ours.precision > by_chance.precision
    if design == "interactions":
        assert ours.power is not None
        assert ours.power >= 0.9


def test_stabl_selects_what_is_plain_before_all_else() -> None:
    random = np.random.default_rng(5)
    X = (random.random((400, 20)) < 0.3) * random.geometric(0.5, (400, 20))
    p, true = 1 / (1 + np.exp(1 - 1.5 * X[:, 0] + 1.5 * X[:, 7])), np.array([0, 7])
    y = random.random(400) < p
    chosen = PEERS["Stabl"](as_table(Truth(csr_array(X.astype(np.float32)), y.astype(np.float32), true, p), 1))
    assert chosen.selected is not None
    assert chosen.selected[true].all()
    assert not chosen.selected.all()
    assert set(np.argsort(-chosen.importance, kind="stable")[:2]) == {*true}


def test_the_page_gives_means_with_intervals() -> None:
    scores = [
        Score("plain", 2000, seed, "winnow", 1.0, 10, share, 0.5, 0.6, 0.7, 0.8, is_withheld=seed > 0)
        for seed, share in ((0, 0.0), (1, 0.2))
    ]
    text = page(scores)
    assert text.count("# Known truth") == 1
    assert "## plain, 2,000 rows\n\n| method | seeds |" in text
    assert "| winnow | 2 | 10.00 +- 0.00 | 0.10 +- 1.27 | 0.50 +- 0.00 | 0.60 +- 0.00 | 1.0 |" in text
    assert "Test AUC of the nets 0.70 +- 0.00, of the truth 0.80 +- 0.00." in text
    assert "a run withholds what it selects, in 1 of 2." in text


def test_other_seeds_select_nearly_the_same() -> None:
    one, other = selected_sets("interactions", ROWS, 1000, 2)
    assert len(one) >= 15
    assert jaccard(one, other) > 0.7
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard(set(), set()) == 1
