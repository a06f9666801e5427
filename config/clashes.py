"""Problems that are fine alone and not together: one would take or delete what belongs to the other."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from config.checking import Checked
from config.errors import Fault
from config.locations import contains
from config.problem import Problem


def clashes(problems: Sequence[Checked[Problem]]) -> list[Fault]:
    """Return a fault, at the later of the two problems, for every pair that clashes."""
    return [fault for first, second in combinations(problems, 2) for fault in _clash(first, second)]


def _clash(first: Checked[Problem], second: Checked[Problem]) -> Iterator[Fault]:
    one, two = first.record, second.record
    other = first.source.document.file
    if not (first.trusts(("problem",)) and second.trusts(("problem",))):
        return
    if one.problem == two.problem:
        yield second.source.fault(("problem",), f'"{two.problem}", the name in {other} too', "a name of its own")
    if not (first.trusts(("drops",), ("results",)) and second.trusts(("drops",), ("results",))):
        return
    if _nested(one.drops, two.drops) and not (one.keep_inputs and two.keep_inputs):
        found = f"{two.drops}, which overlaps {one.drops} of {other}"
        yield second.source.fault(("drops",), found, "a prefix of its own, or keep_inputs: true in both")
    if _nested(one.drops, two.home):
        found = f"{two.home}, which overlaps the drops of {other}"
        yield second.source.fault(("results",), found, "a prefix that no problem watches")
    if _nested(one.home, two.drops):
        found = f"{two.drops}, which overlaps the results of {other}"
        yield second.source.fault(("drops",), found, "a prefix that no problem writes to")


def _nested(one: str, other: str) -> bool:
    return contains(one, other) or contains(other, one)
