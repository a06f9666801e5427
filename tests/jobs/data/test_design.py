"""Categorical columns as codes, and the design matrix of all kept columns."""

import numpy as np

from jobs.data.design import design_of, encode, fit_vocabulary
from tests.jobs.tables import categories, csr_of, random_dense

COLOURS = categories("colour", ["red", "blue", None, "red", "green", "blue", "red", "violet"])
TRAIN = np.array([0, 1, 2, 3, 4, 5])


def test_levels_seen_often_enough_in_training_have_a_code_of_their_own() -> None:
    vocabulary = fit_vocabulary(COLOURS, TRAIN, min_rows=2)
    assert vocabulary.levels == ("blue", "red")
    assert vocabulary.counts == (2, 2, 2)  # null and green share the last
    assert not vocabulary.is_constant


def test_rare_unseen_and_null_levels_share_one_code() -> None:
    codes = encode(COLOURS, fit_vocabulary(COLOURS, TRAIN, min_rows=2))
    red, blue, other = 1, 0, 2
    assert codes.tolist() == [red, blue, other, red, other, blue, red, other]
    assert codes.dtype == np.int32


def test_null_on_rows_enough_has_a_code_of_its_own() -> None:
    column = categories("c", ["a", None, "a", None, "b", "new"])
    vocabulary = fit_vocabulary(column, np.arange(5), min_rows=2)
    assert (vocabulary.levels, vocabulary.counts, vocabulary.has_null) == (("a",), (2, 1, 2), True)
    assert encode(column, vocabulary).tolist() == [0, 2, 0, 2, 1, 1]


def test_a_level_that_training_never_saw_has_no_code_even_at_the_lowest_bar() -> None:
    assert fit_vocabulary(COLOURS, TRAIN, min_rows=0).levels == ("blue", "green", "red")


def test_a_column_of_one_level_on_training_rows_is_constant() -> None:
    column = categories("c", ["a", "a", "a", "b"])
    assert fit_vocabulary(column, np.array([0, 1, 2]), 1).is_constant
    assert not fit_vocabulary(column, np.array([0, 1, 2, 3]), 1).is_constant
    assert fit_vocabulary(categories("c", [None, None]), np.array([0, 1]), 1).is_constant


def test_a_column_of_levels_that_are_all_on_too_few_rows_is_rare_and_no_constant_is() -> None:
    column, rows = categories("c", ["a", "a", "a", "b"]), np.array([0, 1, 2, 3])
    few = fit_vocabulary(column, rows, 9)
    assert (few.is_constant, few.is_rare, few.n_values) == (True, True, 2)  # one shared code, two values
    assert not fit_vocabulary(column, rows, 1).is_rare
    assert not fit_vocabulary(column, np.array([0, 1, 2]), 9).is_rare
    assert not fit_vocabulary(categories("c", [None, None]), np.array([0, 1]), 9).is_rare
    assert fit_vocabulary(categories("c", ["a", None]), np.array([0, 1]), 9).is_rare


def test_the_design_is_the_numeric_columns_and_one_column_for_each_level() -> None:
    dense = random_dense(1, 8, 3, 0.5)
    other = categories("size", ["S", "L", "S", "S", "L", "L", "S", "L"])
    pairs = []
    for column in (COLOURS, other):
        vocabulary = fit_vocabulary(column, TRAIN, 2)
        pairs.append((vocabulary, encode(column, vocabulary)))
    design = design_of(csr_of(dense), ("x", "y", "z"), pairs)
    wanted = np.zeros((8, 9), np.float32)
    wanted[:, :3] = dense
    wanted[np.arange(8), 3 + pairs[0][1]] = 1
    wanted[np.arange(8), 6 + pairs[1][1]] = 1
    np.testing.assert_array_equal(design.Z.toarray(), wanted)
    assert design.columns == ("x", "y", "z", "colour", "size")
    assert design.starts.tolist() == [0, 1, 2, 3, 6, 9]
    assert design.owner.tolist() == [0, 1, 2, 3, 3, 3, 4, 4, 4]
    assert (design.n_codes, design.n_numeric) == (9, 3)
    assert design.Z.has_sorted_indices
    assert design.Z.data.dtype == np.float32
    assert design.Z.indices.dtype == np.int32


def test_without_categories_the_design_is_the_numeric_matrix() -> None:
    X = csr_of(random_dense(2, 8, 3))
    design = design_of(X, ("x", "y", "z"), ())
    assert design.Z is X
    assert design.starts.tolist() == [0, 1, 2, 3]


def test_categories_alone_make_a_design() -> None:
    vocabulary = fit_vocabulary(COLOURS, TRAIN, 2)
    design = design_of(csr_of(np.zeros((8, 0), np.float32)), (), [(vocabulary, encode(COLOURS, vocabulary))])
    np.testing.assert_array_equal(design.Z.sum(axis=1), np.ones(8))
    assert (design.n_numeric, design.columns) == (0, ("colour",))
