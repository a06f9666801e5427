"""How much less rows of one cluster say: against dense algebra, and on labels with an effect of each user."""

import numpy as np
import pytest

from jobs.selection.conditional import conditional_test
from jobs.selection.dependence import inflation
from jobs.selection.held_out import HeldOut
from jobs.selection.nuisance import Nuisance
from tests.jobs.tables import counts, csr_of, draw_labels, mixed_design

USERS, EACH, P = 300, 10, 100


def blind(y: np.ndarray) -> list[HeldOut]:
    f = np.full(len(y), np.log(y.mean() / (1 - y.mean())))
    return [HeldOut(rows, f[rows], f[rows], np.zeros(P)) for rows in np.array_split(np.arange(len(y)), 3)]


def of_users(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half of the columns are the same on all rows of a user; no column acts, but every user has an effect."""
    random = np.random.default_rng(seed)
    user = random.permutation(np.repeat(np.arange(USERS), EACH))
    of_user = counts(seed + 10, USERS, P // 2, (0.1, 0.5)).toarray()[user]
    X = np.hstack([of_user, counts(seed + 20, len(user), P // 2, (0.1, 0.5)).toarray()])
    return X, user, draw_labels(1.5 * random.normal(size=USERS)[user] - 0.5, seed + 30)


def test_it_is_the_design_effect() -> None:
    X, user, y = of_users(1)
    found = inflation(mixed_design(csr_of(X), (), np.arange(len(y))), y, blind(y), user)
    e = (y - y.mean()) / y.std()
    together = user[:, None] == user
    rho = (np.outer(e, e)[together].sum() - e @ e) / (together.sum() - len(y))
    assert 0.2 < rho < 0.4
    for kind, of_kind in enumerate((X.astype(float), 1.0 * (X > 0))):
        x = of_kind - of_kind.mean(axis=0)
        ratio = np.array([(np.bincount(user, own) ** 2).sum() / (own @ own) for own in x.T])
        np.testing.assert_allclose(found[:, kind], np.sqrt(np.maximum(1 + rho * (ratio - 1), 1)), rtol=1e-5)
    assert found[: P // 2].min() > 1.7
    assert found[P // 2 :].max() < 1.1


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_columns_of_users_who_differ_are_not_called_signal(seed: int) -> None:
    X, user, y = of_users(seed)
    design = mixed_design(csr_of(X), (), np.arange(len(y)))
    wider = inflation(design, y, blind(y), user)
    naive, honest = (conditional_test(design, y, blind(y), by).z for by in (np.ones((P, 2)), wider))
    apart = [z[: P // 2].std() / z[P // 2 :].std() for z in (naive, honest)]
    assert apart[0] > 1.5
    assert 0.7 < apart[1] < 1.35


def test_rows_that_are_all_alone_say_all_they_can() -> None:
    X, _, y = of_users(5)
    design = mixed_design(csr_of(X), (), np.arange(len(y)))
    np.testing.assert_array_equal(inflation(design, y, blind(y), np.arange(len(y))), 1)


def test_copies_say_what_one_of_them_says() -> None:
    X, y = counts(6, 500, P, (0.1, 0.5)).toarray(), draw_labels(np.zeros(500), 7)
    design = mixed_design(csr_of(np.repeat(X, 4, axis=0)), (), np.arange(2000))
    found = inflation(design, np.repeat(y, 4), blind(np.repeat(y, 4)), np.repeat(np.arange(500), 4))
    np.testing.assert_allclose(found, 2, rtol=1e-4)


def test_columns_of_noise_are_not_active_because_every_row_stands_ten_times() -> None:
    X, y = counts(8, 400, P, (0.1, 0.5)).toarray().repeat(10, axis=0), draw_labels(np.zeros(400), 9).repeat(10)
    design, user = mixed_design(csr_of(X), (), np.arange(4000)), np.arange(400).repeat(10)
    wider = inflation(design, y, blind(y), user)
    naive, honest = (Nuisance(design, y, blind(y), by).order_of_entry()[1].active for by in (np.ones((P, 2)), wider))
    assert len(naive) > 8
    assert len(honest) <= 2
