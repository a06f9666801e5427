"""Read one YAML file as plain values that remember their lines.

The scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/, 10.3.2), not of pyyaml's 1.1: there a
column called `5_95` is the number 595, `on` and `no` are booleans, and `1e-3` is a text.
Refused, each with its line: a key given twice, aliases and merge keys, tags, more than one document.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml
from yaml.composer import ComposerError

from config.errors import Fault

KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_INT = r"[-+]?[0-9]+"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_CORE_SCHEMA = {  # in the order in which they are tried: every int is a float too
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": _INT,
    "float": _FLOAT,
}


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read.

    Attributes:
        file: the file as the person named it.
        data: the top mapping; empty when the file could not be read.
        lines: the line of every key and list item.
    """

    file: str
    data: dict[str, object] = field(default_factory=dict[str, object])
    lines: Mapping[KeyPath, int] = field(default_factory=dict[KeyPath, int])

    def fault(self, path: KeyPath, found: str, expected: str) -> Fault:
        """Return a fault at `path`, or at the nearest key above it when the file does not hold `path`."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1)
        return Fault(self.file, line, key_text(path), found, expected)


def key_text(path: KeyPath) -> str:
    """Return a path as people write it: ("problems", 0) is "problems[0]"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def parse(text: str, file: str) -> tuple[Document, list[Fault]]:
    """Read the text of one file.

    Args:
        text: YAML whose top is a mapping.
        file: what faults call it.

    Returns:
        The document, empty where the text has no mapping, and the faults of its form.
    """
    try:
        node = _CoreLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        return Document(file), [_syntax_fault(error, file)]
    except yaml.YAMLError as error:  # a character that YAML forbids; it carries no line
        return Document(file), [Fault(file, None, "", str(error).splitlines()[0], "a text file in UTF-8")]
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else "no mapping"
        return Document(file), [Fault(file, 1, "", found, "a mapping (lines of `key: value`)")]
    reading = _Reading(file)
    data = reading.mapping(node, ())
    return Document(file, data, reading.lines), reading.faults


def scalar(text: str) -> object:
    """Return the value of one plain scalar or flow collection, as a file would hold it ("30" is 30).

    Text that is no YAML is its own value.
    """
    document, faults = parse(f"value: {text}", "")
    return text if faults else document.data["value"]


def read_document(path: Path) -> tuple[Document, list[Fault]]:
    """Read a file as `parse` does; a file that cannot be read is a fault too."""
    file = str(path)
    try:
        return parse(path.read_text(encoding="utf-8-sig"), file)
    except FileNotFoundError:
        return Document(file), [Fault(file, None, "", "no such file", "a YAML file")]
    except UnicodeDecodeError as error:
        return Document(file), [Fault(file, None, "", f"a byte that is not UTF-8 at {error.start}", "UTF-8")]
    except OSError as error:
        return Document(file), [Fault(file, None, "", error.strerror or str(error), "a YAML file")]


class _CoreLoader(yaml.SafeLoader):
    """pyyaml's safe loader with the scalars of YAML 1.2 and without aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose as ever, but refuse aliases: shared or circular nodes have no single line."""
        if self.check_event(yaml.AliasEvent):
            event = cast("yaml.AliasEvent", self.peek_event())  # pyright: ignore[reportUnknownMemberType]
            raise ComposerError(None, None, "aliases are refused", cast("yaml.Mark", event.start_mark))
        return super().compose_node(parent, index)


_CoreLoader.yaml_implicit_resolvers = {
    None: [(_TAG + kind, re.compile(rf"(?:{pattern})\Z")) for kind, pattern in _CORE_SCHEMA.items()]
}


class _Reading:
    """The state of one walk over the nodes of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        """Return a mapping; of a key given twice the first value counts."""
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "a key that is a collection", "a plain text as key")
                continue
            key = str(key_node.value)
            if key in values:
                first = self.lines[(*path, key)]
                self._refuse(key_node, (*path, key), "the key a second time", f"it once (it stands on line {first})")
                continue
            self.lines[(*path, key)] = _line(key_node)
            values[key] = self.value(value_node, (*path, key))
        return values

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        """Return the plain value of a node."""
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return _SCALARS[node.tag.removeprefix(_TAG)](str(node.value))
        except (KeyError, ValueError):  # only a tag written out leads here: `!!set x`, `!!int x`
            self._refuse(node, path, f"the tag {node.tag}", "a value without a tag")
            return None

    def _item(self, node: yaml.Node, path: KeyPath) -> object:
        self.lines[path] = _line(node)
        return self.value(node, path)

    def _refuse(self, node: yaml.Node, path: KeyPath, found: str, expected: str) -> None:
        self.faults.append(Fault(self.file, _line(node), key_text(path), found, expected))


_SCALARS: dict[str, Callable[[str], object]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    "str": str,
}


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax_fault(error: yaml.MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    found = f"a syntax error ({error.problem})" if error.problem else "a syntax error"
    return Fault(file, mark.line + 1 if mark else None, "", found, "YAML")
