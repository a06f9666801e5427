"""The walls stand: who may import whom, who may read the environment, what files are called, how long they are."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOMS, ROOT, relative, sources

FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core", "processor", "types"}
LONGEST_FILE = 300


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_the_plain_names_resolve_to_this_repository(room: str) -> None:
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert spec.origin == str(ROOT / room / "__init__.py")


def test_no_file_has_a_name_that_says_nothing() -> None:
    named = [path for path in sources() if FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parent.parts}]
    assert relative(named) == []


def test_no_file_is_too_long_to_be_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert relative([path for path, length in lengths.items() if length > LONGEST_FILE]) == []


def test_config_alone_reads_the_environment() -> None:
    readers = [path for path in sources() if path.relative_to(ROOT).parts[0] != "config" and _reads_environment(path)]
    assert relative(readers) == []


def _reads_environment(path: Path) -> bool:
    names = {"environ", "environb", "getenv", "getenvb"}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {alias.name for alias in node.names})
        for node in nodes
    )
