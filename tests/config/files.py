"""Write configuration files for a test and read their faults back."""

from pathlib import Path

import pytest

from config import ConfigError, Problem, load_problem, load_service

SMALLEST = """\
problem: return
drops: s3://game-features/return/
results: s3://game-results/
table: {id: user_id, label: active}
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Write one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problem_of(folder: Path, text: str) -> Problem:
    """Load a problem file with this text."""
    return load_problem(write(folder, "problem.yaml", text))


def problem_faults(folder: Path, text: str) -> list[str]:
    """Return the faults of a problem file with this text, without the folder's name."""
    path = write(folder, "problem.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load_problem(path)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def service_faults(path: Path) -> list[str]:
    """Return the faults of a service file, without its folder's name."""
    with pytest.raises(ConfigError) as caught:
        load_service(path)
    return [line.replace(f"{path.parent}/", "") for line in str(caught.value).splitlines()]
