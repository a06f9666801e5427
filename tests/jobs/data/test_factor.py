"""What most columns have in common: found where users are active more or less, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from jobs.data.dataset import Design
from jobs.data.factor import common_factor
from tests.jobs.tables import csr_of, mixed_design

N = 2000


def design_of(X: np.ndarray) -> Design:
    return mixed_design(csr_of(np.log1p(X)), (), np.arange(len(X)))


def of_active_users(n_columns: int = 60) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    activity = random.gamma(0.7, 1, N)
    return random.poisson(activity[:, None] * random.lognormal(-0.5, 1, n_columns)), activity


def test_where_users_are_more_or_less_active_it_is_how_active_they_are() -> None:
    X, activity = of_active_users()
    found = common_factor(design_of(X), np.arange(N))
    assert found is not None
    assert abs(np.corrcoef(found, np.log1p(activity))[0, 1]) > 0.9


def test_only_the_rows_that_are_known_weigh() -> None:
    X, _ = of_active_users()
    known, changed = np.arange(0, N, 2), X.copy()
    changed[1::2] = changed[1::2][::-1]
    one, other = (common_factor(design_of(each), known) for each in (X, changed))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one[known], other[known])


def test_the_order_of_the_columns_does_not_matter() -> None:
    X, _ = of_active_users()
    one, other = (common_factor(design_of(each), np.arange(N)) for each in (X, X[:, ::-1]))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(np.abs(one), np.abs(other), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.8])
def test_blocks_of_columns_are_no_common_factor(share: float) -> None:
    random = np.random.default_rng(2)
    common = np.repeat(random.normal(size=(N, 30)), 5, axis=1)
    latent = np.sqrt(share) * common + np.sqrt(1 - share) * random.normal(size=(N, 150))
    assert common_factor(design_of((ndtr(latent) < 0.2) * random.geometric(0.5, (N, 150))), np.arange(N)) is None


def test_of_a_few_columns_each_would_be_a_large_part_of_it() -> None:
    X, _ = of_active_users(n_columns=8)
    assert common_factor(design_of(X), np.arange(N)) is None


def test_the_codes_of_one_column_are_no_common_factor() -> None:
    """Levels of a category go together by themselves."""
    random = np.random.default_rng(3)
    some = random.random(N) < 0.4
    items = (random.random((N, 40)) < 0.5) & some[:, None]
    numbers = random.poisson(0.5, (N, 25)) * (random.random((N, 25)) < 0.5)
    design = design_of(np.hstack([numbers, items]))
    assert common_factor(design, np.arange(N)) is not None
    starts = np.append(np.arange(26), 65)
    one = replace(design, columns=design.columns[:26], starts=starts, n_numeric=25, n_learned=np.zeros(26, np.int64))
    assert common_factor(one, np.arange(N)) is None
