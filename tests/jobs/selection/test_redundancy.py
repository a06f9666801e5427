"""Columns that others determine."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from jobs.data.dataset import Design
from jobs.data.design import design_of
from jobs.selection.redundancy import redundant_columns

N = 1000
PARTS, TOTAL, NOISE = [0, 1, 2], 3, 4


def parts_and_total(noise: float = 0.0) -> Design:
    random = np.random.default_rng(1)
    X = (random.random((N, 5)) < 0.2) * random.random((N, 5))
    X[:, TOTAL] = X[:, PARTS].sum(axis=1) / 3 + noise * X[:, NOISE]
    return design_of(csr_array(X.astype(np.float32)), [f"column{k}" for k in range(5)], [])


def test_a_total_is_determined_by_all_of_its_parts_and_by_fewer_not() -> None:
    design = parts_and_total()
    assert redundant_columns(design, np.arange(N), np.array(PARTS)).tolist() == [TOTAL]
    assert redundant_columns(design, np.arange(N), np.array(PARTS[:2])).tolist() == []


def test_a_part_is_determined_by_the_total_and_the_other_parts() -> None:
    assert redundant_columns(parts_and_total(), np.arange(N), np.array([0, 1, TOTAL])).tolist() == [2]


@pytest.mark.parametrize(("noise", "found"), [(0.1, [TOTAL]), (0.3, [])])
def test_nine_tenths_of_the_variance_are_wanted(noise: float, found: list[int]) -> None:
    design = parts_and_total(noise)
    Z = design.Z.toarray().astype(np.float64)
    left = Z[:, TOTAL] - Z[:, PARTS] @ np.linalg.lstsq(Z[:, PARTS], Z[:, TOTAL])[0]
    assert (left.var() < 0.1 * Z[:, TOTAL].var()) == bool(found)
    assert redundant_columns(design, np.arange(N), np.array(PARTS)).tolist() == found


def test_other_rows_say_nothing() -> None:
    design = parts_and_total()
    Z = design.Z.toarray()
    Z[N // 2 :, TOTAL] = np.random.default_rng(2).random(N - N // 2)
    broken = design_of(csr_array(Z), list(design.columns), [])
    assert redundant_columns(broken, np.arange(N // 2), np.array(PARTS)).tolist() == [TOTAL]
    assert redundant_columns(broken, np.arange(N), np.array(PARTS)).tolist() == []


def test_many_columns_of_noise_determine_nothing_on_few_rows() -> None:
    X = np.random.default_rng(3).normal(size=(60, 58)).astype(np.float32)
    design = design_of(csr_array(X), [f"column{k}" for k in range(58)], [])
    for n in (0, 1, 40, 57):
        assert redundant_columns(design, np.arange(60), np.arange(n)).tolist() == []


def test_constant_columns_are_not_determined() -> None:
    X = np.ones((50, 3), np.float32)
    X[:25, 0] = 2
    design = design_of(csr_array(X), ["a", "b", "c"], [])
    assert redundant_columns(design, np.arange(50), np.array([0])).tolist() == []
