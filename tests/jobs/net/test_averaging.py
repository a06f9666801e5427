"""The mean of weights over the steps of an epoch."""

import numpy as np
import pytest

from jobs.net.averaging import EpochMean


def stepped() -> tuple[list[np.ndarray], EpochMean]:
    live = [np.zeros(2, np.float32), np.zeros((1, 3), np.float32)]
    mean = EpochMean(live)
    mean.begin()
    for step in (1, 2, 6):
        live[0][...], live[1][...] = step, -step
        mean.note()
    return live, mean


def test_within_the_arrays_are_their_means_and_after_it_what_they_were() -> None:
    live, mean = stepped()
    with mean.in_place():
        np.testing.assert_array_equal(live[0], [3, 3])
        np.testing.assert_array_equal(live[1], [[-3, -3, -3]])
    np.testing.assert_array_equal(live[0], [6, 6])
    np.testing.assert_array_equal(live[1], [[-6, -6, -6]])


def test_an_epoch_forgets_the_one_before() -> None:
    live, mean = stepped()
    mean.begin()
    live[0][...] = 10
    mean.note()
    with mean.in_place():
        np.testing.assert_array_equal(live[0], [10, 10])


def test_the_arrays_are_what_they_were_when_the_judgement_fails() -> None:
    live, mean = stepped()
    with pytest.raises(FloatingPointError), mean.in_place():
        raise FloatingPointError
    np.testing.assert_array_equal(live[0], [6, 6])
