"""Work side by side: in order, on one thread each, and no further once something failed."""

from threading import Event, Lock

import numba
import pytest
import torch

from jobs.net.threads import side_by_side


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    assert side_by_side(lambda item: item * item, range(20), threads) == [k * k for k in range(20)]


def test_every_item_is_computed_on_one_thread() -> None:
    found = side_by_side(lambda _: (torch.get_num_threads(), numba.get_num_threads()), range(4), 2)
    assert found == [(1, 1)] * 4


@pytest.mark.parametrize("failing", [0, 1])
def test_after_an_error_no_further_item_begins(failing: int) -> None:
    begun, lock = list[int](), Lock()

    def work(item: int) -> None:
        with lock:
            begun.append(item)
        if item == failing:
            raise ValueError(f"item {item}")
        Event().wait(1.0)

    with pytest.raises(ValueError, match=f"item {failing}"):
        side_by_side(work, range(50), 2)
    assert len(begun) <= 3  # one may have begun before the others were all in line
