"""Rows that cannot be split as the problem says: each fault in words of its own, with advice that helps."""

import numpy as np
import pytest

from jobs.data.dataset import Dataset
from jobs.errors import InputRejected, TooFewRows, UnsupportedColumn
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import counts, dataset_of, problem_of

N = 100
TAIL = "wait for a larger drop"
HALF = np.tile(np.array([0, 1], np.float32), N // 2)
SIDES = np.array(["train"] * 80 + ["valid"] * 20, dtype=object)


def table(y: np.ndarray = HALF, **roles: np.ndarray) -> Dataset:
    return dataset_of(counts(1, len(y), 5), y, **roles)


@pytest.mark.parametrize(
    ("data", "split", "found"),
    [
        (table(split=np.where(SIDES == "train", "train", "held")), {}, "holds 'held'; it may hold train, valid and"),
        (table(split=SIDES), {}, "by the split column, test would have 0 rows, 0 of them positive"),
        (
            table(group=np.arange(N) % 3),
            {"by": "group", "folds": 3},
            "holds 3 group(s), and 5 folds and sides need one",
        ),
        (table(time=np.zeros(N)), {"by": "time"}, "holds 1 different time(s), and one time cannot stand on two sides"),
    ],
    ids=["unknown-side", "empty-side", "few-groups", "one-time"],
)
def test_a_column_that_cannot_split_is_named_and_a_larger_drop_is_no_cure(
    data: Dataset, split: dict[str, object], found: str
) -> None:
    with pytest.raises(InputRejected) as caught:
        learn_quietly(data, problem_of(split=split))
    assert type(caught.value) is UnsupportedColumn
    assert found in str(caught.value)
    assert TAIL not in str(caught.value)


@pytest.mark.parametrize(
    ("y", "split", "found"),
    [
        (HALF, {"test": 0.01}, "100 rows are too few to take 0.01 of them out with both classes"),
        (np.repeat(np.array([0, 1], np.float32), [90, 10]), {"folds": 9}, "one class has 10 rows only"),
        (
            np.repeat(np.array([0, 1], np.float32), [90, 10]),
            {"folds": 8, "test": 0.3},
            "training rows only, and 8 folds need it",
        ),
    ],
    ids=["small-side", "one-class", "small-folds"],
)
def test_too_few_rows_are_told_without_the_words_of_a_library(
    y: np.ndarray, split: dict[str, object], found: str
) -> None:
    with pytest.raises(TooFewRows) as caught:
        learn_quietly(table(y), problem_of(split=split))
    assert found in str(caught.value)
    assert TAIL in str(caught.value)
    assert "n_splits" not in str(caught.value)
    assert "test_size" not in str(caught.value)
