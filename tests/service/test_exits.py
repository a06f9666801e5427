"""What a person is told when a command ends badly."""

import errno

import pytest

from service.exits import Exit, failure_of


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("I/O error: No space left on device (os error 28)"),  # what a library of Rust says
    ],
)
def test_a_full_temporary_folder_is_no_fault_of_the_program(error: Exception) -> None:
    failure = failure_of(error)
    assert failure.exit_code == Exit.RUN_FAILED
    assert "TMPDIR" in failure.hint
    assert "fault of the program" not in failure.hint


def test_anything_else_is_to_be_reported() -> None:
    assert "report it" in failure_of(KeyError("x")).hint
