"""What is left of a label, in units of rows of which the model says the same."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import spearmanr

from jobs.selection.neighbours import normal_scores, recalibrated
from jobs.selection.score_kernels import ranks_among_neighbours
from tests.jobs.tables import draw_labels

N = 5000


def tenths(said: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    return [values[rows] for rows in np.array_split(np.argsort(said), 10)]


@pytest.mark.parametrize("width", [1, 4, 7, 30])
def test_ranks_are_shares_of_neighbours(width: int) -> None:
    values = np.random.default_rng(1).integers(0, 8, 30).astype(float)
    first = np.clip(np.arange(30) - width // 2, 0, 30 - width)
    wanted = [
        ((values[at : at + width] < value).sum() + (values[at : at + width] == value).sum() / 2) / width
        for at, value in zip(first, values, strict=True)
    ]
    np.testing.assert_allclose(ranks_among_neighbours(values, first, width), wanted)


@pytest.mark.parametrize("kind", ["wider", "bent", "mostly zero", "heavy"])
def test_what_is_left_has_one_mean_and_one_variance_all_along(kind: str) -> None:
    random = np.random.default_rng(2)
    said, noise = random.normal(size=N), random.normal(size=N)
    left = {
        "wider": np.exp(said) * noise,
        "bent": said**2 + noise,
        "mostly zero": (random.random(N) < expit(said - 2)) * random.lognormal(2, 1, N) - said,
        "heavy": random.standard_cauchy(N),
    }[kind]
    for own in tenths(said, normal_scores(said, left)):
        assert abs(own.mean()) < 0.1
        assert 0.9 < own.std() < 1.1


def test_at_both_ends_neighbours_on_one_side_are_made_good() -> None:
    """Without a line through them the outermost thirty of 5,000 rows are .93 off in the mean, where the model is."""
    off = list[float]()
    for seed in range(5):
        random = np.random.default_rng(seed)
        said = random.normal(size=N)
        scores = normal_scores(said, random.normal(size=N) - 2 * said)[np.argsort(said)]
        off += [abs(scores[:30].mean()), abs(scores[-30:].mean())]
    assert np.mean(off) < 0.6


def test_among_neighbours_the_order_is_kept() -> None:
    random = np.random.default_rng(3)
    said, left = random.normal(size=N), random.normal(size=N)
    assert spearmanr(left, normal_scores(said, left)).statistic > 0.98


def test_a_bend_that_the_model_has_missed_is_made_good() -> None:
    said = np.random.default_rng(4).normal(size=N)
    true = 1 - said**2
    y = draw_labels(true, 5)
    for own, label in zip(tenths(said, expit(recalibrated(said, y))), tenths(said, y), strict=True):
        assert own.mean() == pytest.approx(label.mean(), abs=0.06)


def test_a_model_that_says_nothing_stays_as_it_is() -> None:
    said = np.full(50, 0.3)
    np.testing.assert_array_equal(recalibrated(said, draw_labels(said, 1)), said)


def test_rows_of_which_the_same_is_said_are_compared_in_random_order() -> None:
    """A drop may be sorted by its label."""
    left = np.sort(np.random.default_rng(6).normal(size=N))
    assert spearmanr(left, normal_scores(np.zeros(N), left)).statistic > 0.98
