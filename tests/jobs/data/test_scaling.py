"""Min-max scaling equals scikit-learn's, less the constant that the bias absorbs."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler

from jobs.data.scaling import compress, fit_scaler, scale
from tests.jobs.tables import csr_of, random_dense

TRAIN = np.arange(0, 40, 2)


def table() -> np.ndarray:
    dense = np.abs(random_dense(1, 40, 12)) * 100
    dense[:, 3] = -dense[:, 3] - 1  # negative, never zero
    dense[:, 4] = random_dense(2, 40, 1, 1.0)[:, 0]  # both signs
    dense[:, 5] = 0
    dense[:, 6] = 7  # constant, not zero
    dense[TRAIN, 7] = 0  # varies on rows that do not train
    dense[1, 7] = 5
    dense[:, 8] += 1000  # far from zero
    return dense


@pytest.mark.parametrize("log1p", [False, True])
def test_scaling_equals_scikit_learn_less_its_constant(log1p: bool) -> None:
    dense = table()
    X = csr_of(dense)
    scaled = scale(X, fit_scaler(X, TRAIN, log1p=log1p)).toarray()
    plain = np.sign(dense) * np.log1p(np.abs(dense.astype(np.float64))) if log1p else dense.astype(np.float64)
    theirs = MinMaxScaler().fit(plain[TRAIN])
    varies = plain[TRAIN].max(axis=0) > plain[TRAIN].min(axis=0)
    has_zeros = (dense[TRAIN] == 0).any(axis=0)  # without zeros to keep, a column is scaled as theirs is
    wanted = (theirs.transform(plain) - np.where(has_zeros, theirs.min_, 0)) * varies * (dense != 0)
    np.testing.assert_allclose(scaled, wanted, rtol=1e-5, atol=1e-6)
    assert varies.sum() == 9
    assert (varies & ~has_zeros).sum() == 3


@pytest.mark.parametrize("log1p", [False, True])
def test_a_constant_added_to_a_dense_column_is_taken_out_again(log1p: bool) -> None:
    age = np.random.default_rng(3).integers(1, 61, (400, 1)).astype(np.float32)
    year = csr_of(age + 1949)
    scaled = scale(year, fit_scaler(year, np.arange(400), log1p=log1p)).toarray()
    assert (float(scaled.min()), float(scaled.max())) == (0, 1)
    assert np.corrcoef(scaled[:, 0], age[:, 0])[0, 1] > 0.9999


def test_a_zero_that_training_never_saw_in_a_dense_column_counts_as_its_minimum() -> None:
    X = csr_of(np.array([[5.0], [7.0], [0.0], [9.0]], np.float32))
    np.testing.assert_array_equal(
        scale(X, fit_scaler(X, np.array([0, 1, 3]), log1p=False)).toarray()[:, 0], [0, 0.5, 0, 1]
    )


def test_a_constant_column_is_zero_after_scaling_and_divides_nothing() -> None:
    X = csr_of(table())
    scaler = fit_scaler(X, TRAIN, log1p=False)
    assert scaler.factor[[5, 6, 7]].tolist() == [0, 0, 0]
    assert not scale(X, scaler).toarray()[:, [5, 6, 7]].any()


def test_rows_that_do_not_train_change_no_scale() -> None:
    dense = table()
    other = dense.copy()
    other[1::2] *= 50
    one, two = (fit_scaler(csr_of(values), TRAIN, log1p=True) for values in (dense, other))
    for name in ("low", "high", "count", "shift", "factor"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_scales_of_some_columns_scale_those_columns() -> None:
    X, some = csr_of(table()), np.array([1, 3, 4])
    scaler = fit_scaler(X, TRAIN, log1p=True)
    part = scale(csr_of(table()[:, some]), scaler.of(some)).toarray()
    np.testing.assert_array_equal(part, scale(X, scaler).toarray()[:, some])


def test_zeros_stay_zero_and_the_input_is_left_alone() -> None:
    dense = table()
    X = csr_of(dense)
    scaled = scale(X, fit_scaler(X, TRAIN, log1p=False))
    np.testing.assert_array_equal(X.toarray(), dense)
    np.testing.assert_array_equal(scaled.indices, X.indices)


def test_compression_is_odd_and_keeps_zero() -> None:
    values = np.array([-np.e + 1, -0.5, 0, 0.5, np.e - 1])
    np.testing.assert_allclose(compress(values), [-1, -np.log(1.5), 0, np.log(1.5), 1], rtol=1e-6)
