"""Which columns go, which stay, and who stands for whom."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.data.correlation import CorrelatedPairs, correlated_pairs
from jobs.data.pruning import KEPT, Pruning, prune, screen_columns
from jobs.data.scaling import fit_scaler
from tests.jobs.tables import csr_of


def pairs(*found: tuple[int, int, float]) -> CorrelatedPairs:
    left, right, r = zip(*found, strict=True)
    return CorrelatedPairs(np.array(left, np.int64), np.array(right, np.int64), np.array(r, float))


def kept_columns(n: int) -> np.ndarray:
    return np.full(n, KEPT, dtype="<U8")


def verdicts(pruning: Pruning) -> list[tuple[str, int]]:
    return list(zip(pruning.status.tolist(), pruning.stands_for.tolist(), strict=True))


def test_the_commoner_of_two_twins_stays_and_stands_for_the_other() -> None:
    pruning = prune(kept_columns(3), np.array([5, 9, 9]), pairs((0, 1, -0.95)))
    assert verdicts(pruning) == [("pruned", 1), ("kept", -1), ("kept", -1)]
    assert pruning.r[0] == -0.95
    assert np.isnan(pruning.r[1:]).all()
    assert pruning.kept.tolist() == [1, 2]


def test_of_equally_common_twins_the_first_by_name_stays() -> None:
    assert verdicts(prune(kept_columns(2), np.array([9, 9]), pairs((0, 1, 1.0)))) == [("kept", -1), ("pruned", 0)]


def test_in_a_chain_the_middle_goes_and_the_far_end_stays_on_its_own() -> None:
    chain = pairs((0, 1, 0.92), (1, 2, 0.97))
    assert verdicts(prune(kept_columns(3), np.array([9, 8, 7]), chain)) == [("kept", -1), ("pruned", 0), ("kept", -1)]


def test_a_chain_is_judged_by_counts_and_not_in_the_order_of_names() -> None:
    chain = pairs((0, 1, 0.92), (1, 2, 0.97))
    assert verdicts(prune(kept_columns(3), np.array([7, 8, 9]), chain)) == [("kept", -1), ("pruned", 2), ("kept", -1)]


def test_the_commonest_middle_of_a_chain_stands_for_both_ends() -> None:
    chain = pairs((0, 1, 0.92), (1, 2, 0.97))
    assert verdicts(prune(kept_columns(3), np.array([7, 9, 8]), chain)) == [("pruned", 1), ("kept", -1), ("pruned", 1)]


def test_of_several_kept_columns_the_most_correlated_stands_for_a_twin() -> None:
    both = pairs((0, 2, 0.91), (1, 2, -0.99))
    pruning = prune(kept_columns(3), np.array([9, 8, 7]), both)
    assert verdicts(pruning)[2] == ("pruned", 1)
    assert pruning.r[2] == -0.99


def test_columns_screened_out_before_stand_for_nothing() -> None:
    status = np.array(["constant", "kept", "rare"], dtype="<U8")
    assert verdicts(prune(status, np.array([9, 8, 1]), pairs((0, 1, 1.0), (1, 2, 1.0)))) == [
        ("constant", -1),
        ("kept", -1),
        ("rare", -1),
    ]


def test_constant_and_rare_are_told_apart_by_training_rows() -> None:
    dense = np.zeros((12, 5), np.float32)
    dense[:, 1] = 4  # constant, though on every row
    dense[:2, 2] = 1  # two training rows
    dense[:3, 3] = 1  # three
    dense[10:, 4] = 1  # none that trains
    dense[:1, 2] = 2
    train = np.arange(10)
    status = screen_columns(fit_scaler(csr_of(dense), train, log1p=False), len(train), 3)
    assert status.tolist() == ["constant", "constant", "rare", "kept", "constant"]


def test_fewer_rows_than_the_least_count_do_not_make_everything_rare() -> None:
    X = csr_of(np.arange(1, 9, dtype=np.float32)[:, None])
    assert screen_columns(fit_scaler(X, np.arange(8), log1p=False), 8, 100).tolist() == ["kept"]


def pruned_by_name(dense: np.ndarray, names: list[str]) -> dict[str, tuple[str, str | None, float]]:
    """Prune columns in the order of their names, as reading gives them; verdict, stand-in and r by name."""
    order = np.argsort(names)
    X = csr_of(dense[:, order])
    ordered = [names[k] for k in order]
    rows = np.arange(len(dense))
    scaler = fit_scaler(X, rows, log1p=False)
    pruning = prune(screen_columns(scaler, len(rows), 1), scaler.count, correlated_pairs(X, rows, 0.9))
    stands = [ordered[k] if k >= 0 else None for k in pruning.stands_for]
    r = np.nan_to_num(pruning.r).tolist()
    return dict(zip(ordered, zip(pruning.status.tolist(), stands, r, strict=True), strict=True))


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 10_000), n_drivers=st.integers(1, 4))
def test_every_pruned_column_has_a_kept_twin_and_no_two_kept_columns_are_twins(seed: int, n_drivers: int) -> None:
    random = np.random.default_rng(seed)
    drivers = random.normal(size=(40, n_drivers))
    dense = (drivers[:, random.integers(0, n_drivers, 12)] + random.normal(size=(40, 12)) * 0.3).astype(np.float32)
    names = [f"c{k:02d}" for k in range(12)]
    verdict = pruned_by_name(dense, names)
    r = np.corrcoef(dense.astype(np.float64).T)
    for one, (status, stand_in, found) in verdict.items():
        if status == KEPT:
            others = [int(other[1:]) for other, (state, _, _) in verdict.items() if state == KEPT and other != one]
            assert np.abs(r[int(one[1:]), others]).max(initial=0) < 0.9
        else:
            assert stand_in is not None
            assert verdict[stand_in][0] == KEPT
            assert abs(found - r[int(one[1:]), int(stand_in[1:])]) < 1e-9
            assert abs(found) >= 0.9


@settings(deadline=None)  # the first call compiles
@given(order=st.permutations(range(10)), seed=st.integers(0, 200))
def test_the_order_of_the_columns_in_the_drop_changes_nothing(order: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    driver = random.normal(size=(30, 1))
    dense = (driver + random.normal(size=(30, 10)) * 0.35).astype(np.float32)
    dense[random.random(dense.shape) < 0.2] = 0
    names = [f"c{k}" for k in range(10)]
    shuffled = pruned_by_name(dense[:, order], [names[k] for k in order])
    assert shuffled == pruned_by_name(dense, names)
