"""Turn what pydantic refuses into what a person can mend: where it stands, what was found, what would be right."""

import difflib
import json
from collections.abc import Mapping
from typing import cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.availability import available_instead
from config.document import KeyPath

_LONGEST_VALUE = 60
_EXPECTED = {
    "bool_type": "true or false",
    "byte_size": "a size such as 4GB",
    "byte_size_unit": "a size such as 4GB",
    "dict_type": "a mapping of keys",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "a mapping of keys",
    "path_type": "a path",
    "string_too_short": "a text that is not empty",
    "string_type": "a text (numbers in quotes)",
    "tuple_type": "a list",
}


def faults_in(error: ValidationError, model: type[BaseModel], data: object) -> dict[KeyPath, tuple[str, str]]:
    """Return what was found and what was expected at every faulty key, in pydantic's order.

    Args:
        error: what `model` refused.
        model: the record of the whole file.
        data: what was validated.
    """
    faults: dict[KeyPath, tuple[str, str]] = {}
    for details in error.errors(include_url=False):
        path = _path_of(details, data)
        found, expected = _explain(details, path, model, data)
        if path in faults and expected not in faults[path][1]:  # one branch of a union each
            expected = f"{faults[path][1]} or {expected}"
        faults[path] = (found, expected)
    return {path: (found, expected + _described(model, path)) for path, (found, expected) in faults.items()}


def _shown(value: object) -> str:
    """Return a value as the file would hold it, shortened."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _value_at(data: object, path: KeyPath) -> object:
    for part in path:
        data = cast("Mapping[str | int, object]", data)[part]
    return data


def _path_of(details: ErrorDetails, data: object) -> KeyPath:
    """Return the location without what pydantic adds to it: the branch of a union, the key of a default."""
    if details["type"] in {"missing", "extra_forbidden"}:
        return details["loc"]
    path: KeyPath = ()
    for part in details["loc"]:
        if not _holds(_value_at(data, path), part):
            break
        path = (*path, part)
    return path


def _holds(data: object, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(cast("list[object]", data))


def _explain(details: ErrorDetails, path: KeyPath, model: type[BaseModel], data: object) -> tuple[str, str]:
    if details["type"] == "missing":
        return "nothing", "a value"
    if details["type"] == "extra_forbidden":
        return "an unknown key", _nearest(model, path)
    value = _value_at(data, path)
    if (instead := available_instead(path, value)) is not None:
        return f"{_shown(value)}, which is not available yet", instead
    return _shown(value), _expected(details)


def _expected(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "string_pattern_mismatch":
        return f"a text like {details['ctx']['pattern']}" if "ctx" in details else "another text"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return _EXPECTED.get(kind, message)


def _nearest(model: type[BaseModel], path: KeyPath) -> str:
    section = _section(model, path[:-1])
    known = list(section.model_fields) if section else []
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"a known key; did you mean {near[0]}?" if near else f"one of {', '.join(known)}"


def _described(model: type[BaseModel], path: KeyPath) -> str:
    section = _section(model, path[:-1]) if path else None
    field = section.model_fields.get(str(path[-1])) if section else None
    return f" ({field.description})" if field and field.description else ""


def _section(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the record that holds the keys under `path`."""
    for part in path:
        field = model.model_fields.get(str(part))
        inner = _record(field) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _record(field: FieldInfo) -> type[BaseModel] | None:
    candidates = (field.annotation, *get_args(field.annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
