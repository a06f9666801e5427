"""A run says what has changed since the run before it: in the tables, the metrics, the page and on the terminal."""

import json
from pathlib import Path

import pandas as pd
import pytest

from service.commands import call
from service.exits import Exit
from tests.service.test_score_command import frame, trained, write_drop


def next_run(home: Path, name: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> str:
    drop = write_drop(home / name, table)
    asked = {"drop": str(drop), "problem": home / "problem.yaml", "results": str(home / "results")}
    assert call("run", as_json=as_json, **asked) == Exit.DONE
    return capsys.readouterr().out


def test_what_has_changed_since_the_run_before_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Path(trained(tmp_path, "active", "binary", capsys))
    told = json.loads((next(first.glob("attempt-*")) / "metrics.json").read_text())["changes"]
    assert told == {"since": None, "moved": [], "new": [], "gone": []}
    moved = frame(9).assign(c0=lambda table: 3 * table["c0"], c9=1 + frame(10)["c2"]).drop(columns="c5")
    second = json.loads(next_run(tmp_path, "second", moved, capsys, as_json=True))
    assert second["metrics"]["changes"] == {"since": first.name, "moved": ["c0"], "new": ["c9"], "gone": ["c5"]}
    folder = Path(second["commit"].removeprefix("file://")).parent
    (attempt,) = folder.glob("attempt-*")
    flags = pd.read_parquet(attempt / "features.parquet").set_index("feature")["flags"].map(list)
    assert [name for name in flags.index if "moved" in flags[name]] == ["c0"]
    page = (attempt / "report.html").read_text()
    assert f"Moved since run {first.name} (mean or coverage): c0." in page
    assert f"Gone since run {first.name}: c5." in page
    printed = next_run(tmp_path, "third", frame(11), capsys, as_json=False)
    assert f"Since run {second['run_id']}: moved c0; new c5; gone c9" in printed


def test_a_run_before_that_is_damaged_is_no_reason_to_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Path(trained(tmp_path, "active", "binary", capsys))
    (next(first.glob("attempt-*")) / "features.parquet").write_bytes(b"PAR1 torn")
    second = json.loads(next_run(tmp_path, "second", frame(9), capsys, as_json=True))
    assert second["metrics"]["changes"]["since"] is None
