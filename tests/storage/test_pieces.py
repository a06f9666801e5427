"""Memory of pieces goes back page by page, and only what has been passed."""

import mmap
import sys

import numpy as np
import pytest

from storage.pieces import Arena

PAGE = mmap.PAGESIZE


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system may keep given-back pages for a while")
def test_pages_before_the_cursor_are_given_back_and_those_after_it_stay() -> None:
    arena = Arena()
    before, stretch, after = (arena.take(n, np.float32) for n in (3, 4 * PAGE, 5))
    for one in (before, stretch, after):
        one.array[:] = 1
    stretch.release(0, PAGE // 4 - 1)
    assert bool(stretch.array.all())
    stretch.release(PAGE // 4 - 1, PAGE)
    assert not stretch.array[:PAGE].any()
    stretch.release(PAGE, 4 * PAGE)
    assert not stretch.array.any()
    assert bool(before.array.all())
    assert bool(after.array.all())


def test_a_stretch_larger_than_the_arena_gets_memory_of_its_own() -> None:
    arena = Arena()
    small, large, next_ = (arena.take(n, np.uint8) for n in (7, 40 << 20, 9))
    large.array[:] = 3
    assert (small.array.size, next_.array.size) == (7, 9)
    assert not small.array.any()
    assert not next_.array.any()
