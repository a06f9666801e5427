"""The sparse halves of attributions against dense float64 references."""

import numpy as np

from jobs.net.threads import compute_on
from jobs.selection.kernels import background_part, row_part
from tests.jobs.tables import csr_of, random_dense

DENSE = random_dense(1, 40, 25, 0.3)
Z = csr_of(DENSE)
ROWS, BACKGROUND = np.array([5, 1, 30]), np.array([2, 3, 39, 11])
RANDOM = np.random.default_rng(2)
W, w = RANDOM.normal(size=(25, 6)).astype(np.float32), RANDOM.normal(size=25).astype(np.float32)
SLOPES = RANDOM.normal(size=(3, 4, 6)).astype(np.float32)


def test_the_part_of_the_row_is_its_values_times_the_slope_along_their_codes() -> None:
    phi = np.ones((3, 25), np.float32)
    row_part(Z.indptr, Z.indices, Z.data, ROWS, W, w, SLOPES[:, 0], phi)
    wanted = 1 + DENSE[ROWS].astype(np.float64) * (w + SLOPES[:, 0].astype(np.float64) @ W.T)
    np.testing.assert_allclose(phi, wanted, rtol=1e-5, atol=1e-5)


def test_the_part_of_the_background_is_a_mean_over_its_rows() -> None:
    phi = np.ones((3, 25), np.float32)
    background_part(Z.indptr, Z.indices, Z.data, BACKGROUND, W, SLOPES, phi)
    along = SLOPES.astype(np.float64) @ W.T  # (3, 4, 25)
    wanted = 1 - (DENSE[BACKGROUND].astype(np.float64)[None] * along).mean(axis=1)
    np.testing.assert_allclose(phi, wanted, rtol=1e-5, atol=1e-5)


def test_both_parts_do_not_depend_on_the_number_of_threads() -> None:
    found = []
    for threads in (1, 2):
        compute_on(threads)
        found.append(np.zeros((3, 25), np.float32))
        row_part(Z.indptr, Z.indices, Z.data, ROWS, W, w, SLOPES[:, 0], found[-1])
        background_part(Z.indptr, Z.indices, Z.data, BACKGROUND, W, SLOPES, found[-1])
    np.testing.assert_array_equal(*found)
