"""Every example goes from its raw tables to its table, through the service, as a process; what is planted is found.

What is expected of an example stands beside it, in expected.json: how many rows are enough, which share of the planted
columns must be selected at least (they, or what stands for them), and a metric on test rows.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from service.commands.demo import EXAMPLES, RETURN, names
from tests.architecture.tree import ROOMS, ROOT

WINNOW = Path(sys.executable).parent / "winnow"
NAMES = [name for name in names() if name != RETURN]


def test_every_example_is_named_in_the_help() -> None:
    assert len(NAMES) >= 7
    done = subprocess.run([WINNOW, "demo", "--help"], capture_output=True, text=True, check=True)
    assert all(re.search(rf"\b{name}\b", done.stdout) for name in names())


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_a_page_of_one_screen(name: str) -> None:
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert f"winnow demo {name}" in page
    assert len(page.splitlines()) <= 40


@pytest.mark.parametrize("name", NAMES)
def test_what_is_planted_is_found(name: str, tmp_path: Path) -> None:
    expected = json.loads((EXAMPLES / name / "expected.json").read_text())
    rows, share = expected["rows"], expected["planted_share"]
    command = [str(WINNOW), "demo", name, "--dir", str(tmp_path / "demo"), "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (run,) = (tmp_path / "demo/results" / name / "runs").glob("*/attempt-*")
    features = pd.read_parquet(run / "features.parquet")
    truth = json.loads(next((tmp_path / "demo/drops").glob("*.truth.json")).read_text())
    twins = dict(zip(features["feature"], features["kept_for"], strict=True))
    selected = set(features.loc[features["status"] == "selected", "feature"])
    found = {column for column in truth["planted"] if column in selected or twins.get(column) in selected}
    assert len(found) >= share * len(truth["planted"]), (found, selected)
    noise = selected & set(truth["noise"]) if "noise" in truth else selected - set(truth["planted"])
    assert len(noise) <= max(2, 0.25 * len(selected)), noise
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["net"][expected["metric"]]["value"] > expected["least"]
    left = [path for path in (tmp_path / "demo/drops").rglob("*") if path.is_file() and "truth" not in path.name]
    assert left == [path for path in left if path.name.startswith(".winnow")]


def test_no_room_names_an_example_beside_the_one_that_it_makes() -> None:
    words = re.compile(rf"\b({'|'.join(NAMES)})\b")
    naming = [
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "examples" not in path.parts and words.search(path.read_text(encoding="utf-8"))
    ]
    assert naming == []
