"""`winnow serve`: the answers are those of the model, wrong rows are told, a newer run takes over."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from service.commands import call
from service.exits import Exit
from service.logs import get_log
from service.models import LOOK_SECONDS, Models
from service.places import Place
from service.web import make_web
from storage import open_store
from tests.servers.server import free_port
from tests.service.test_score_command import frame, trained, write_drop

ROW = {"c0": [1], "asked_at": ["2026-11-27"]}


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@contextmanager
def client(home: Path, clock: Clock | None = None) -> Iterator[TestClient]:
    places = [Place("return", open_store(str(home / "results"))), Place("empty", open_store(str(home / "none")))]
    with TestClient(make_web(Models(places, get_log(), clock or Clock()))) as asked:
        yield asked


def rows(seed: int = 2, n: int = 20) -> pd.DataFrame:
    return frame(seed, n).drop(columns=["number", "label", "active"])


def as_json(table: pd.DataFrame) -> dict[str, list[object]]:
    dates = {name: table[name].map(lambda at: at.isoformat(), na_action="ignore") for name in ("asked_at", "joined_at")}
    texts = table.assign(**dates)
    return {name: [None if pd.isna(value) else value for value in texts[name].tolist()] for name in texts}


@pytest.mark.parametrize(("label", "task"), [("active", "binary"), ("label", "multiclass"), ("number", "regression")])
def test_answers_are_those_of_winnow_score(
    tmp_path: Path, label: str, task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, label, task, capsys)
    table = rows()
    drop = write_drop(tmp_path / "new", table)
    assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
    wanted = pd.read_parquet(tmp_path / "out/predictions.parquet").drop(columns="user_id")
    with client(tmp_path) as asked:
        answer = asked.post("/models/return/predict?explain=true", json=as_json(table))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["run_id"] == Path(run).name
    pd.testing.assert_frame_equal(pd.DataFrame(found["predictions"]), wanted, check_dtype=False, rtol=1e-6)
    why = found["attributions"]
    assert len(why) == len(table)
    assert set(why[0]) <= set(table) - {"user_id"}
    sizes = [abs(value) for value in why[0].values()]
    assert sizes == sorted(sizes, reverse=True)


def test_attributions_add_up_to_the_logit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(tmp_path, "active", "binary", capsys)
    with client(tmp_path) as asked:
        answer = asked.post("/models/return/predict?explain=true", json=as_json(rows())).json()
    p = np.array(answer["predictions"]["probability"])
    total = np.array([sum(each.values()) for each in answer["attributions"]])
    logit = np.log(p / (1 - p))
    assert np.ptp(logit - total) < 0.25 * np.ptp(logit)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"c0": [1], "nonsense": [1]}, 422, "does not know 'nonsense'"),
        ({"c0": [1, 2], "c1": [1]}, 422, "'c1' has 1 values"),
        ({"c0": ["x"]}, 422, "'c0' is a number, and 'x' is none"),
        ({"town": [["a"]]}, 422, "'town' is a text"),
        ({"visited": [["x"], "y"]}, 422, "'visited' holds lists"),
        ({}, 422, "there are 0 rows"),
        ({"c0": [0] * 10_001}, 422, "there are 10001 rows"),
        ({"c0": 3}, 422, "valid list"),
        ({"c0": [1e39]}, 422, "none that can be used"),
        ({"asked_at": ["2026-11-27"], "joined_at": ["soon"]}, 422, "'joined_at' is a date, and 'soon' is none"),
        ({"asked_at": ["2026-11-27"], "c0": [None], "town": ["new"], "visited": [None]}, 200, "probability"),
        ({"asked_at": ["2026-11-27"], "joined_at": ["2026-01-05T10:00:00Z"]}, 200, "probability"),
        ({"c0": [1]}, 422, "counts days up to 'asked_at'"),
        (ROW | {"town": ["\ud800"]}, 422, "'town' has a value that is no text"),
        (ROW | {"visited": [["x", {"y": 1}]]}, 422, "'visited' is a text"),
        (ROW | {"number": [3], "active": [1]}, 200, "probability"),  # columns of the drop that the model does not read
    ],
)
def test_rows_that_do_not_fit_are_told(home: Path, body: dict[str, object], status: int, message: str) -> None:
    with client(home) as asked:
        in_ascii, kind = json.dumps(body), {"content-type": "application/json"}
        answer = asked.post("/models/return/predict", content=in_ascii, headers=kind)
    assert answer.status_code == status
    assert message in answer.text


def test_values_are_spelled_as_a_drop_spells_them(home: Path) -> None:
    alike = [
        {"town": [7.0, 7, "7", True, "true"]},
        {"visited": [[1.0, None], [1], ["1"], "1", " 1 , "]},
    ]
    with client(home) as asked:
        for body in alike:
            times = {"asked_at": ["2026-11-27"] * 5}
            if "visited" in body:
                body["visited"] = body["visited"][:3]
                times = {"asked_at": ["2026-11-27"] * 3}
            answer = asked.post("/models/return/predict?explain=true", json=body | times).json()
            assert np.ptp(answer["predictions"]["probability"]) < 1e-6, body


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with results of one run."""
    folder = tmp_path_factory.mktemp("served")

    class Quiet:
        def readouterr(self) -> object:
            runs = next((folder / "results/return/runs").iterdir())
            return type("Read", (), {"out": json.dumps({"run_id": runs.name})})

    trained(folder, "active", "binary", Quiet())  # pyright: ignore[reportArgumentType]
    return folder


def test_what_there_is_can_be_asked(home: Path) -> None:
    with client(home) as asked:
        (model,) = asked.get("/models").json()
        assert (model["problem"], model["task"], model["classes"]) == ("return", "binary", ["0", "1"])
        assert asked.get("/health").json() == {"status": "ok"}
        assert "no run of 'empty' is committed yet" in asked.post("/models/empty/predict", json={"c0": [1]}).text
        assert asked.post("/models/absent/predict", json={"c0": [1]}).status_code == 404


def test_a_newer_run_takes_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = trained(tmp_path, "active", "binary", capsys)
    clock = Clock()
    with client(tmp_path, clock) as asked:
        assert asked.post("/models/return/predict", json=ROW).json()["run_id"] == Path(first).name
        drop = write_drop(tmp_path / "later", frame(9))
        command = {"drop": str(drop), "problem": tmp_path / "problem.yaml", "results": str(tmp_path / "results")}
        assert call("run", as_json=True, **command) == Exit.DONE
        second = json.loads(capsys.readouterr().out)["run_id"]
        assert asked.post("/models/return/predict", json=ROW).json()["run_id"] == Path(first).name
        clock.now += LOOK_SECONDS
        assert asked.post("/models/return/predict", json=ROW).json()["run_id"] == second


def test_the_command_answers_over_http(home: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).parent / "winnow"), "serve", "return", "--results", str(home / "results")]
    with subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            body = json.dumps({"c0": [3, 0], "asked_at": ["2026-11-27"] * 2}).encode()
            url = f"http://127.0.0.1:{port}/models/return/predict"
            asked = urllib.request.Request(url, body, {"content-type": "application/json"})
            for _ in range(240):
                try:
                    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                        assert len(json.load(answer)["predictions"]["probability"]) == 2
                    break
                except (urllib.error.URLError, ConnectionError):
                    assert process.poll() is None
                    time.sleep(0.25)
            else:
                pytest.fail("nobody answered")
        finally:
            process.terminate()
            process.wait(20)
    assert process.returncode in {0, -15}
