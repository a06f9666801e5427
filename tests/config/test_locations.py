"""One spelling of every place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.locations import contains, normal_location


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("s3://b", "s3://b/"),
        ("s3://b/", "s3://b/"),
        ("s3://b/x", "s3://b/x/"),
        ("s3://b/x/y//", "s3://b/x/y/"),
        ("/data/drops", "/data/drops/"),
        ("drops", "/etc/winnow/drops/"),
        ("./a/../drops/", "/etc/winnow/drops/"),
        ("../drops", "/etc/drops/"),
        ("/", "/"),
        ("file:///data/drops", "/data/drops/"),
        ("file://localhost/a%20b", "/a b/"),
        ("~/drops", f"{Path.home()}/drops/"),
    ],
)
def test_a_location_has_one_spelling(text: str, spelling: str) -> None:
    assert normal_location(text, Path("/etc/winnow")) == spelling


def test_without_a_folder_the_working_directory_counts() -> None:
    assert normal_location("drops") == f"{Path.cwd()}/drops/"


@pytest.mark.parametrize(
    "text", ["", "gs://b/x", "https://host/x", "s3://", "s3:///x", "file://host/x", "file://", "~nobody-here/x"]
)
def test_what_is_no_location_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^s3://bucket/prefix, file:///folder or a local folder$"):
        normal_location(text)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1).filter(lambda t: "://" not in t))
def test_spelling_again_changes_nothing(text: str) -> None:
    if text.startswith("~"):
        return
    once = normal_location(f"./{text}")
    assert normal_location(once) == once
    assert once.endswith("/")


def test_a_prefix_contains_itself_and_what_is_under_it_only() -> None:
    assert contains("s3://b/return/", "s3://b/return/") is True
    assert contains("s3://b/return/", "s3://b/return/x/") is True
    assert contains("s3://b/return/", "s3://b/return2/") is False
    assert contains("s3://b/return/", "s3://b/") is False
