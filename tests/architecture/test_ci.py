"""The script that CI runs, run as a process over a small repository that notes what was called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

README = "# Winnow\n\n## Tests\n\nSome words.\n\n```sh\nmake test  # all of them\nmake other\n```\n\n## Limits\n"
MAKEFILE = "check test other:\n\t@echo $@ promised=$$WINNOW_REQUIRE_SERVERS >> calls\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with the real script, a README, a Makefile that notes its targets, and a recent java."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    _command(tmp_path, "java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    for name in ("radosgw", "ceph-mon", "ceph-osd", "ceph", "npm"):
        _command(tmp_path, name, ":")
    return tmp_path


def _command(repository: Path, name: str, line: str) -> None:
    path = repository / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def _run(repository: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{repository}/bin:{os.environ['PATH']}"}
    return subprocess.run(
        [repository / ".ci/run"], env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=60
    )


def _calls(repository: Path) -> list[str]:
    path = repository / "calls"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_ci_checks_and_then_runs_the_command_of_the_readme(repository: Path) -> None:
    done = _run(repository)
    assert done.returncode == 0, done.stderr
    assert _calls(repository) == ["check promised=1", "test promised=1"]


def test_ci_runs_no_tests_after_a_failed_check(repository: Path) -> None:
    (repository / "Makefile").write_text("check:\n\t@false\ntest:\n\t@echo test >> calls\n", encoding="utf-8")
    assert _run(repository).returncode != 0
    assert _calls(repository) == []


def test_ci_fails_when_the_tests_fail(repository: Path) -> None:
    (repository / "Makefile").write_text("check:\n\t@true\ntest:\n\t@false\n", encoding="utf-8")
    assert _run(repository).returncode != 0


def test_ci_fails_when_the_readme_names_no_test_command(repository: Path) -> None:
    (repository / "README.md").write_text(
        "# Winnow\n\n## Tests\n\n## Limits\n\n```\nmake test\n```\n", encoding="utf-8"
    )
    assert _run(repository).returncode == 1
    assert _calls(repository) == []


@pytest.mark.parametrize("line", ["echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "exit 127"])
def test_ci_installs_java_only_where_it_is_missing_or_too_old(repository: Path, line: str) -> None:
    _command(repository, "apt-get", f'echo "apt-get $*" >> {repository}/calls')
    _command(repository, "sudo", 'exec "$@"')
    assert _run(repository).returncode == 0
    assert _calls(repository) == ["check promised=1", "test promised=1"]
    (repository / "calls").unlink()
    _command(repository, "java", line)
    assert _run(repository).returncode == 0
    assert _calls(repository) == [
        "apt-get update -q",
        "apt-get install -y -q --no-install-recommends openjdk-17-jre-headless",
        "check promised=1",
        "test promised=1",
    ]
