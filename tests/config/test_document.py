"""What a YAML text says, and where."""

import re
from math import inf, isnan
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.document import Document, key_text, parse, read_document, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5_95", "5_95"),
        ("on", "on"),
        ("no", "no"),
        ("10:30", "10:30"),
        ("2024-01-01", "2024-01-01"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("017", 17),
        ("-3", -3),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.Inf", -inf),
        ('"10"', "10"),
        ("[1, a]", [1, "a"]),
        ("{a: 1}", {"a": 1}),
        ("a: b", "a: b"),
        ("s3://bucket/x", "s3://bucket/x"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_nan_is_a_number() -> None:
    value = scalar(".NaN")
    assert isinstance(value, float)
    assert isnan(value)


def test_every_key_and_item_has_its_line() -> None:
    document, faults = parse("a: 1\n\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "w.yaml")
    assert faults == []
    assert document.data == {"a": 1, "b": ["x", {"c": 2, "d": 3}]}
    assert document.lines == {
        ("a",): 1,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 1): 5,
        ("b", 1, "c"): 5,
        ("b", 1, "d"): 6,
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1", "w.yaml:1: found a syntax error (expected ',' or ']', but got '<stream end>'), expected YAML"),
        ("a: 1\nb: c: d", "w.yaml:2: found a syntax error (mapping values are not allowed here), expected YAML"),
        ("", "w.yaml:1: found nothing, expected a mapping (lines of `key: value`)"),
        ("- 1", "w.yaml:1: found no mapping, expected a mapping (lines of `key: value`)"),
        ("a: 1\n---\nb: 2", "w.yaml:2: found a syntax error (but found another document), expected YAML"),
        ("a: &x 1\nb: *x", "w.yaml:2: found a syntax error (aliases are refused), expected YAML"),
        ("a: 1\nb: {c: 1, c: 2}", "w.yaml:2 b.c: found the key a second time, expected it once (it stands on line 2)"),
        ("a: 1\n\na: 2", "w.yaml:3 a: found the key a second time, expected it once (it stands on line 1)"),
        ("a:\n - !!int x", "w.yaml:2 a[0]: found the tag tag:yaml.org,2002:int, expected a value without a tag"),
        ("a: !thing x", "w.yaml:1 a: found the tag !thing, expected a value without a tag"),
        ("? [a]\n: 1", "w.yaml:1: found a key that is a collection, expected a plain text as key"),
        (
            "a: \x07",
            (
                "w.yaml: found unacceptable character #x0007: special characters are not allowed, "
                "expected a text file in UTF-8"
            ),
        ),
    ],
)
def test_a_malformed_text_is_a_fault_with_its_line(text: str, fault: str) -> None:
    _, faults = parse(text, "w.yaml")
    assert [str(each) for each in faults] == [fault]


def test_of_a_key_given_twice_the_first_value_counts() -> None:
    document, _ = parse("a: 1\na: 2", "w.yaml")
    assert document.data == {"a": 1}


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    faults = [read_document(tmp_path / name)[1] for name in ("absent.yaml", "latin.yaml", ".")]
    assert [str(fault) for (fault,) in faults] == [
        f"{tmp_path}/absent.yaml: found no such file, expected a YAML file",
        f"{tmp_path}/latin.yaml: found a byte that is not UTF-8 at 3, expected UTF-8",
        f"{tmp_path}: found Is a directory, expected a YAML file",
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_document(tmp_path / "w.yaml")[0].data == {"a": 1}


def test_a_fault_of_an_absent_key_stands_at_the_key_above() -> None:
    document, _ = parse("a: 1\nb:\n  c: 2", "w.yaml")
    assert document.fault(("b", "d"), "x", "y").line == 2
    assert document.fault(("z",), "x", "y").line == 1
    assert Document("w.yaml").fault((), "x", "y").line == 1


def test_paths_are_written_as_people_do() -> None:
    assert key_text(("problems", 0)) == "problems[0]"
    assert key_text(("a", "b", 2, "c")) == "a.b[2].c"
    assert key_text(()) == ""


# The writer follows YAML 1.1 and leaves 0E0 unquoted, where it is text; in YAML 1.2 it is a number.
_text = st.text(st.characters(codec="ascii")).filter(lambda text: not re.fullmatch(r"[-+.\d]+[eE][-+\d]+", text))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1), _values, min_size=1))
def test_what_a_yaml_writer_wrote_is_read_back(data: dict[str, object]) -> None:
    document, faults = parse(yaml.safe_dump(data), "w.yaml")
    assert faults == []
    assert document.data == data
