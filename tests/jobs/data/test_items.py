"""Sequences as codes: the mean of the last items, and how many there are."""

import numpy as np

from jobs.data.dataset import Sequences
from jobs.data.items import fit_items, share_items

#            b a b | (none) | c a | a a a a | b x
LETTERS = Sequences(
    "s", np.array([0, 3, 3, 5, 9, 11]), np.array([1, 0, 1, 2, 0, 0, 0, 0, 0, 1, 3], np.int32), tuple("abcx")
)
TRAIN = np.arange(4)


def test_items_on_training_rows_enough_have_a_code_of_their_own() -> None:
    vocabulary = fit_items(LETTERS, TRAIN, min_rows=2, max_length=9)
    assert (vocabulary.levels, vocabulary.counts) == (("a",), (3, 2))  # b and c share the last
    assert vocabulary.n_values == 5  # a, b, c, nothing, and several lengths
    assert fit_items(LETTERS, TRAIN, min_rows=1, max_length=9).levels == ("a", "b", "c")


def test_a_row_is_the_share_of_its_items_and_its_length() -> None:
    vocabulary = fit_items(LETTERS, TRAIN, min_rows=1, max_length=9)
    length = np.log1p([3, 0, 2, 4, 2]) / np.log1p(9)
    wanted = np.array([[1 / 3, 2 / 3, 0, 0], [0, 0, 0, 0], [0.5, 0, 0.5, 0], [1, 0, 0, 0], [0, 0.5, 0, 0.5]])
    found = share_items(LETTERS, vocabulary, 9)
    np.testing.assert_allclose(found.toarray(), np.column_stack([wanted, length]), rtol=1e-6)
    assert found.has_sorted_indices
    assert found.dtype == np.float32


def test_only_the_last_items_count() -> None:
    vocabulary = fit_items(LETTERS, TRAIN, min_rows=1, max_length=1)
    assert vocabulary.levels == ("a", "b")
    np.testing.assert_allclose(share_items(LETTERS, vocabulary, 1).toarray()[:, :3].argmax(axis=1), [1, 0, 0, 0, 2])


def test_rows_outside_training_give_no_code() -> None:
    assert "x" not in fit_items(LETTERS, TRAIN, min_rows=1, max_length=9).levels
