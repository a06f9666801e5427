"""What is shipped is pinned: images, dependencies, and the command that CI runs."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import cast

import pytest
import yaml

from config import load_service
from tests.architecture.tree import ROOT
from tests.requirements import PROMISE, java_available, require

RELEASE_TAG = re.compile(r"[\w./-]+:(RELEASE\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ|\d+\.\d+\.\d+(-[\w-]+)?)")


def _lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def _compose() -> dict[str, dict[str, dict[str, object]]]:
    return cast("dict[str, dict[str, dict[str, object]]]", yaml.safe_load("\n".join(_lines("docker-compose.yml"))))


def test_every_image_of_the_composition_is_one_release() -> None:
    images = {name: str(service["image"]) for name, service in _compose()["services"].items()}
    assert sorted(images) == ["buckets", "minio", "producer", "winnow"]
    assert [image for image in images.values() if not RELEASE_TAG.fullmatch(image)] == []


def test_every_stage_of_the_image_starts_from_one_release() -> None:
    bases = [line.split()[1] for line in _lines("Dockerfile") if line.startswith("FROM ")]
    assert bases == ["python:3.11.14-slim-bookworm"] * 2


def test_the_image_does_not_run_as_root() -> None:
    assert [line for line in _lines("Dockerfile") if line.startswith("USER ")] == ["USER 10001:10001"]


def test_the_image_copies_only_what_is_there_and_let_in() -> None:
    copied = {
        name
        for line in _lines("Dockerfile")
        if line.startswith("COPY ") and "--from=" not in line
        for name in line.split()[1:-1]
    }
    let_in = {line[1:] for line in _lines(".dockerignore") if line.startswith("!")}
    assert copied == let_in
    assert [name for name in sorted(copied) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(("age_seconds", "status"), [(0, 0), (100, 0), (130, 1), (None, 1)])
def test_the_image_is_healthy_while_its_heartbeat_is_young(
    tmp_path: Path, age_seconds: int | None, status: int
) -> None:
    heartbeat = tmp_path / "heartbeat"
    if age_seconds is not None:
        heartbeat.touch()
        touched = time.time() - age_seconds
        os.utime(heartbeat, (touched, touched))
    (line,) = [line for line in _lines("Dockerfile") if line.startswith("    CMD [")]
    _, *arguments = cast("list[str]", json.loads(line.removeprefix("    CMD ")))
    environment = {"WINNOW_HEARTBEAT": str(heartbeat)}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False)
    assert done.returncode == status


def test_the_version_of_the_image_is_that_of_the_package() -> None:
    version = tomllib.loads("\n".join(_lines("pyproject.toml")))["project"]["version"]
    assert _compose()["services"]["winnow"]["image"] == f"winnow:{version}"


def test_every_constraint_is_one_version() -> None:
    pins = [line for line in _lines("constraints.txt") if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    assert "torch==2.13.0" in pins


def test_every_dependency_is_constrained() -> None:
    project = tomllib.loads("\n".join(_lines("pyproject.toml")))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[\[<>=]", each)[0].lower() for each in wanted}
    pinned = {line.split("==")[0].lower() for line in _lines("constraints.txt")}
    assert sorted(names - pinned) == []


def test_the_configuration_of_the_composition_has_no_fault() -> None:
    (problem,) = load_service(ROOT / "examples/compose/winnow.yaml").problems
    assert (problem.problem, problem.drops) == ("return", "s3://drops/return/")
    command = cast("list[str]", _compose()["services"]["producer"]["command"])
    assert command == ["demo", "--produce", problem.drops]


def test_a_test_without_what_it_needs_skips_or_fails_where_it_was_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROMISE, raising=False)
    require(condition=True, what="nothing")
    with pytest.raises(pytest.skip.Exception, match=r"^needs a moon$"):
        require(condition=False, what="a moon")
    monkeypatch.setenv(PROMISE, "1")
    with pytest.raises(pytest.fail.Exception, match=r"^needs a moon, which WINNOW_REQUIRE_SERVERS promises$"):
        require(condition=False, what="a moon")


def test_java_is_not_available_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert java_available() is False


@pytest.mark.parametrize(
    ("version", "is_enough"), [("17.0.15", True), ("21", True), ("11.0.2", False), ("1.8.0", False)]
)
def test_java_has_to_be_new_enough(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, version: str, *, is_enough: bool
) -> None:
    java = tmp_path_factory.mktemp("bin") / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(java.parent))
    assert java_available() is is_enough
