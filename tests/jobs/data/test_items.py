"""Sequences as codes: the mean of the last items, and how many there are."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from jobs.data.dataset import Sequences
from jobs.data.design import Block, append_codes, design_of
from jobs.data.items import fit_items, order_items, share_items
from tests.jobs.tables import csr_of, random_dense

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


def drawn(seed: int) -> Sequences:
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 12, 300)
    codes = np.minimum(random.zipf(1.4, lengths.sum()), 30).astype(np.int32) - 1
    return Sequences("s", np.concatenate([[0], np.cumsum(lengths)]), codes, tuple(f"i{k:02d}" for k in range(30)))


@pytest.mark.parametrize("max_length", [1, 5, 50])
@pytest.mark.parametrize("min_rows", [1, 20, 1000])
def test_everything_equals_what_python_says(max_length: int, min_rows: int) -> None:
    column, rows = drawn(4), np.arange(0, 300, 2)
    texts = [[column.levels[k] for k in column.codes[a:b]][-max_length:] for a, b in pairwise(column.indptr)]
    counts = Counter(item for row in rows for item in set(texts[row]))
    own = sorted(item for item, count in counts.items() if count >= min_rows)
    vocabulary = fit_items(column, rows, min_rows, max_length)
    assert vocabulary.levels == tuple(own)
    shared = sum(any(item not in own for item in texts[row]) for row in rows)
    assert vocabulary.counts == (*(counts[item] for item in own), shared)
    assert vocabulary.n_values == len(counts) + any(not texts[row] for row in rows) + 1
    place = {item: k for k, item in enumerate(own)}
    wanted = np.zeros((300, len(own) + 2))
    for row, items in enumerate(texts):
        for item in items:
            wanted[row, place.get(item, len(own))] += 1 / len(items)
        wanted[row, -1] = np.log1p(len(items)) / np.log1p(max_length)
    found = share_items(column, vocabulary, max_length)
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-6)
    assert found.has_canonical_format
    ordered = order_items(column, vocabulary, max_length)
    again = [[place.get(item, len(own)) + 1 for item in items] for items in texts]
    assert [ordered.items[a:b].tolist() for a, b in pairwise(ordered.indptr)] == again
    assert (ordered.n_items, ordered.max_length) == (len(own) + 1, max_length)


def test_blocks_stand_side_by_side_and_codes_are_appended_to_their_column() -> None:
    numeric, one, two, said = (random_dense(k, 50, width) for k, width in enumerate((4, 3, 2, 5)))
    design = design_of(csr_of(numeric), list("abcd"), [], [Block("one", csr_of(one)), Block("two", csr_of(two))])
    np.testing.assert_array_equal(design.Z.toarray(), np.hstack([numeric, one, two]))
    longer = append_codes(design, "one", said)
    np.testing.assert_array_equal(longer.Z.toarray(), np.hstack([numeric, one, said, two]))
    assert longer.Z.has_canonical_format
    assert longer.starts.tolist() == [0, 1, 2, 3, 4, 12, 14]
    assert longer.n_learned.tolist() == [0, 0, 0, 0, 5, 0]
    assert longer.plain_codes.tolist() == [*range(7), 12, 13]
    assert design.plain_codes.tolist() == list(range(9))
    assert longer.Z.indices.dtype == design.Z.indices.dtype
