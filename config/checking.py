"""Check one document against its record and find all of its faults, not only the first kind.

Contradictions can only be asked of a valid record. So the faulty keys of a document are taken out, defaults or
stand-ins take their place, and what then contradicts itself is a fault too, unless a faulty key takes part in it.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from config.contradictions import contradictions
from config.document import Document, KeyPath
from config.errors import Fault
from config.faults import faults_in
from config.problem import Problem

RecordT = TypeVar("RecordT", bound=BaseModel)

# Values of required keys for the second look; no text of a file can equal them, so they contradict nothing.
_STAND_INS: dict[KeyPath, object] = {
    ("problem",): "stand-in",
    ("drops",): "s3://stand-in/\0drops/",
    ("results",): "s3://stand-in/\0results/",
    ("table",): {},
    ("table", "id"): "\0id",
    ("table", "label"): "\0label",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the values of one record come from.

    Attributes:
        document: the file.
        data: its values with those of the environment or the command line over them.
        origins: for every value from elsewhere, what stands in its fault as file and key.
    """

    document: Document
    data: Mapping[str, object]
    origins: Mapping[KeyPath, tuple[str, str]] = field(default_factory=dict[KeyPath, tuple[str, str]])

    def fault(self, path: KeyPath, found: str, expected: str) -> Fault:
        """Return a fault where a person can mend it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                file, key = self.origins[path[:length]]
                return Fault(file, None, key, found, expected)
        return self.document.fault(path, found, expected)


@dataclass(frozen=True, slots=True)
class Checked(Generic[RecordT]):
    """One document after its check.

    Attributes:
        source: where it came from.
        record: what it says; with defaults and stand-ins in the place of faulty keys.
        faulty: the keys that `record` does not hold as the person wrote them.
        faults: all that is wrong with the document itself.
    """

    source: Source
    record: RecordT
    faulty: frozenset[KeyPath]
    faults: tuple[Fault, ...]

    def trusts(self, *keys: KeyPath) -> bool:
        """Tell whether none of `keys` is faulty, nor anything above them."""
        return not any(key[:length] in self.faulty for key in keys for length in range(1, len(key) + 1))


def check(model: type[RecordT], source: Source, stand_ins: Mapping[KeyPath, object] | None = None) -> Checked[RecordT]:
    """Check the values of one document against `model`; `stand_ins` are for its required keys."""
    try:
        return Checked(source, model.model_validate(source.data), frozenset(), ())
    except ValidationError as error:
        refused = faults_in(error, model, source.data)
    record = model.model_validate(_mended(source.data, refused, stand_ins or {}))
    faults = (source.fault(path, found, expected) for path, (found, expected) in refused.items())
    return Checked(source, record, frozenset(refused), tuple(faults))


def check_problem(source: Source) -> Checked[Problem]:
    """Check a problem file, contradictions included."""
    checked = check(Problem, source, _STAND_INS)
    contradicting = (
        source.fault(each.keys[0], each.found, each.expected)
        for each in contradictions(checked.record)
        if checked.trusts(*each.keys)
    )
    return Checked(source, checked.record, checked.faulty, (*checked.faults, *contradicting))


def _mended(
    data: Mapping[str, object], faulty: Iterable[KeyPath], stand_ins: Mapping[KeyPath, object]
) -> dict[str, object]:
    mended = cast("dict[str | int, object]", deepcopy(dict(data)))
    for path in sorted(faulty, key=len, reverse=True):
        is_needed = len(path) > 1 and path not in stand_ins and not _holds(mended, path)
        _remove(mended, path[:-1] if is_needed else path)  # a section without a key that it needs goes as a whole
    for path, value in stand_ins.items():
        _add(mended, path, deepcopy(value))
    return cast("dict[str, object]", mended)


def _holds(data: Mapping[str | int, object], path: KeyPath) -> bool:
    first, *rest = path
    inner = data.get(first)
    if rest and isinstance(inner, dict):
        return _holds(cast("Mapping[str | int, object]", inner), tuple(rest))
    return first in data and not rest


def _remove(data: dict[str | int, object], path: KeyPath) -> None:
    """Remove the value at `path`; of a list with a faulty item the whole list goes."""
    *above, last = path
    for part in above:
        inner = data.get(part)
        if not isinstance(inner, dict):
            data.pop(part, None)
            return
        data = cast("dict[str | int, object]", inner)
    data.pop(last, None)


def _add(data: dict[str | int, object], path: KeyPath, value: object) -> None:
    for part in path[:-1]:
        data = cast("dict[str | int, object]", data[part])
    data.setdefault(path[-1], value)
