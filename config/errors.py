"""What is wrong with the configuration.

    ConfigError        faults: every one of them, found in one pass

A person mends a file once, not once per fault: nothing here is raised before everything has been looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        file: the file as the person named it, "environment" or "command line".
        line: counted from 1; None where there is no line (a missing file, a variable).
        key: "table.label", "problems[0]", "WINNOW_POLL_SECONDS"; empty when the whole file is meant.
        found: what stands there.
        expected: what would be right.
    """

    file: str
    line: int | None
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        """One line: "winnow.yaml:12 problems[0]: found ..., expected ..."."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        subject = f"{place} {self.key}" if self.key else place
        return f"{subject}: found {self.found}, expected {self.expected}"


class ConfigError(Exception):
    """The configuration cannot be used; `faults` says all that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        """All faults, one line each."""
        return "\n".join(str(fault) for fault in self.faults)
