"""`winnow quarantine`, `results`, `check` and `watch --once`, run in this process."""

import json
import time
from pathlib import Path

import pytest

from config import ConfigError, Settings
from service.app import App
from service.commands import call, check, quarantine, results, watch
from service.exits import Exit
from storage import s3_clients
from storage.claims import Claims
from storage.drops import snapshot_at
from storage.quarantine import put_aside, read_all
from tests.service.conftest import Clock, Home, app_of
from tests.service.substitute import PROBLEM, small_run, write_drop, write_part

ReadOut = pytest.CaptureFixture[str]
TTL_SECONDS = 0.6


@pytest.fixture
def config(local_home: Home, tmp_path: Path) -> Path:
    """Return a winnow.yaml over the local home."""
    local_home.file.write_text(PROBLEM, encoding="utf-8")
    path = tmp_path / "winnow.yaml"
    path.write_text("problems: [problem.yaml]\npoll_seconds: 0.1\n", encoding="utf-8")
    return path


def aside(home: Home, folder: str) -> str:
    """Put a drop aside; return its drop_id."""
    write_drop(home.drops, folder)
    drop = snapshot_at(home.drops, folder)
    what = {"error": "MissingLabel", "message": "no label [bold]here"}
    return put_aside(home.results, "return", drop, found_at=drop.marker.modified, **what).drop_id


def test_what_is_aside_is_listed_shown_and_released(local_home: Home, config: Path, capsys: ReadOut) -> None:
    first, second = aside(local_home, "dt=1/"), aside(local_home, "dt=2/")
    assert quarantine.list_aside(config=config, as_json=True) == Exit.DONE
    listed = json.loads(capsys.readouterr().out)["quarantine"]
    assert {record["drop_id"] for record in listed} == {first, second}
    assert quarantine.list_aside(config=config) == Exit.DONE
    assert "MissingLabel" in capsys.readouterr().out
    assert quarantine.show(first[:8], config=config) == Exit.DONE
    assert "no label [bold]here" in capsys.readouterr().out
    assert quarantine.release(first[:8], config=config) == Exit.DONE
    assert [record.drop_id for record in read_all(local_home.results, "return")] == [second]


@pytest.mark.parametrize(("drop", "found"), [("zzz", "no drop"), ("", "2 drops")])
def test_a_drop_has_to_be_named_so_that_it_is_one(local_home: Home, config: Path, drop: str, found: str) -> None:
    aside(local_home, "dt=1/")
    aside(local_home, "dt=2/")
    with pytest.raises(ConfigError, match=found):
        quarantine.release(drop, config=config)
    assert len(read_all(local_home.results, "return")) == 2


def test_one_pass_works_on_everything_and_returns_the_worst(local_home: Home, config: Path, capsys: ReadOut) -> None:
    write_drop(local_home.drops, "dt=1/", "rejected")
    write_drop(local_home.drops, "dt=2/")
    write_part(local_home.drops, "dt=3/")
    assert watch.execute(config, once=True, make_app=app_of) == Exit.REJECTED
    assert watch.execute(config, once=True, make_app=app_of) == Exit.DONE
    assert [info.key.split("/")[0] for info in local_home.drops.list()] == ["dt=1", "dt=1", "dt=3"]
    capsys.readouterr()
    assert results.execute("return", config=config, as_json=True, top=1) == Exit.DONE
    printed = json.loads(capsys.readouterr().out)
    assert [row["feature"] for row in printed["top"]] == ["5_95"]
    assert results.execute(results=local_home.results.url, problem="return", run=printed["run_id"]) == Exit.DONE
    assert printed["run_id"] in capsys.readouterr().out


def test_a_run_that_is_not_there_is_a_fault_of_the_command_line(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"PROBLEM: found \"return\""):
        results.execute(config=config)
    with pytest.raises(ConfigError, match=r"--run: found \"abc\""):
        results.execute(config=config, run="abc")


def test_results_by_their_url_need_the_name_of_the_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the name of a problem"):
        results.execute(results=str(tmp_path))
    with pytest.raises(ConfigError, match="s3://bucket/prefix"):
        results.execute("return", results="ftp://host/")


def test_a_check_says_what_the_stores_hold(local_home: Home, config: Path, capsys: ReadOut) -> None:
    write_drop(local_home.drops, "dt=1/")
    write_part(local_home.drops, "dt=2/")
    assert check.execute(config) == Exit.DONE
    printed = capsys.readouterr().out
    for words in ("1 finished, 1 unfinished", "there is no _SUCCESS", "conditional delete: yes; versions: no"):
        assert words in printed


def test_a_check_of_a_store_that_cannot_be_reached_fails(config: Path, local_home: Home, capsys: ReadOut) -> None:
    local_home.file.write_text(PROBLEM.replace("results: results", "results: problem.yaml/x"), encoding="utf-8")
    assert check.execute(config) == Exit.STORE_FAILED
    assert "problem.yaml/x" in capsys.readouterr().out


def test_all_faults_of_a_configuration_are_told_at_once(tmp_path: Path, capsys: ReadOut) -> None:
    (tmp_path / "winnow.yaml").write_text("problems: [a.yaml, b.yaml]\npoll_second: 3\n", encoding="utf-8")
    assert call("check", config=tmp_path / "winnow.yaml") == Exit.USAGE
    told = capsys.readouterr().err
    assert [word in told for word in ("a.yaml", "b.yaml", "poll_second")] == [True] * 3


def test_a_failure_for_a_program_is_json_on_stdout(tmp_path: Path, capsys: ReadOut) -> None:
    assert call("results", as_json=True, config=tmp_path / "none.yaml") == Exit.USAGE
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert (printed["exit_code"], printed["error"]["class"], captured.err) == (2, "ConfigError", "")


def test_a_damaged_result_is_a_failure_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "return").mkdir()
    (tmp_path / "return/latest.json").write_text("[]", encoding="utf-8")
    assert call("results", problem="return", results=str(tmp_path)) == Exit.STORE_FAILED


def impatient(settings: Settings) -> App:
    """Return a composition root with a real clock, whose claims may be stolen soon."""
    made = app_of(settings.model_copy(update={"claim_ttl_seconds": TTL_SECONDS}), Clock())
    return App(settings=made.settings, run_drop=small_run, make_bars=made.make_bars)


def test_one_pass_takes_a_drop_over_whose_worker_is_dead(local_home: Home, config: Path) -> None:
    write_drop(local_home.drops, "dt=1/")
    drop = snapshot_at(local_home.drops, "dt=1/")
    assert Claims(local_home.results, "return", "dead", TTL_SECONDS, Clock()).take(drop.drop_id) is not None
    assert watch.execute(config, once=True, make_app=impatient) == Exit.DONE
    assert list(local_home.drops.list()) == []


def test_one_pass_leaves_a_drop_to_a_worker_that_is_alive(local_home: Home, config: Path) -> None:
    write_drop(local_home.drops, "dt=1/")
    before, drop = list(local_home.drops.list()), snapshot_at(local_home.drops, "dt=1/")
    claim = Claims(local_home.results, "return", "alive", TTL_SECONDS, Clock()).take(drop.drop_id)
    assert claim is not None
    began = time.monotonic()
    with claim.kept_alive(lambda: None):
        assert watch.execute(config, once=True, make_app=impatient) == Exit.DONE
    assert time.monotonic() - began < 4 * TTL_SECONDS
    assert list(local_home.drops.list()) == before


def test_a_fault_of_the_configuration_is_told_without_a_traceback(tmp_path: Path, capsys: ReadOut) -> None:
    (tmp_path / "winnow.yaml").write_text("problems: [a.yaml]\n", encoding="utf-8")
    assert call("check", config=tmp_path / "winnow.yaml") == Exit.USAGE
    captured = capsys.readouterr()
    assert (captured.out, "Traceback" in captured.err) == ("", False)
    assert call("results", as_json=True, config=tmp_path / "winnow.yaml") == Exit.USAGE
    captured = capsys.readouterr()
    assert (json.loads(captured.out)["exit_code"], captured.err) == (2, "")


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL_S3", "localhost:9000"), ("AWS_PROFILE", "nobody")])
def test_a_problem_whose_store_cannot_be_opened_does_not_stop_the_others(
    local_home: Home, config: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: ReadOut
) -> None:
    monkeypatch.setenv(name, value)
    s3_clients._session.cache_clear()
    elsewhere = PROBLEM.replace("problem: return", "problem: far").replace("results: results", "results: s3://bucket/x")
    (config.parent / "far.yaml").write_text(elsewhere.replace("drops: drops", "drops: far"), encoding="utf-8")
    config.write_text("problems: [far.yaml, problem.yaml]\n", encoding="utf-8")
    write_drop(local_home.drops, "dt=1/")
    assert call("watch", config=config, once=True, make_app=app_of) == Exit.STORE_FAILED
    assert list(local_home.drops.list()) == []
    assert "problem_left_out" in capsys.readouterr().err
    config.write_text("problems: [far.yaml]\n", encoding="utf-8")
    assert call("watch", config=config, once=True, make_app=app_of) == Exit.STORE_FAILED
    assert name in capsys.readouterr().err
    s3_clients._session.cache_clear()


@pytest.mark.parametrize("name", ["metrics.json", "features.parquet"])
@pytest.mark.parametrize("body", [b"torn", None])
def test_a_damaged_file_of_a_run_is_a_failure_of_the_store(
    local_home: Home, config: Path, name: str, body: bytes | None, capsys: ReadOut
) -> None:
    write_drop(local_home.drops, "dt=1/")
    assert watch.execute(config, once=True, make_app=app_of) == Exit.DONE
    (info,) = [info for info in local_home.results.list("return/runs/") if info.key.endswith(name)]
    if body is None:
        local_home.results.delete(info)
    else:
        local_home.results.write(info.key, body)
    capsys.readouterr()
    assert call("results", config=config, as_json=True) == Exit.STORE_FAILED
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["class"], name in error["message"]) == ("CorruptObject", True)


def test_results_in_a_folder_that_cannot_be_made_are_tried_again_later(
    local_home: Home, config: Path, capsys: ReadOut
) -> None:
    local_home.file.write_text(PROBLEM.replace("results: results", "results: problem.yaml/x"), encoding="utf-8")
    write_drop(local_home.drops, "dt=1/")
    assert watch.execute(config, once=True, make_app=app_of) == Exit.STORE_FAILED
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["error"], line["retry_seconds"]) == ("store_failed", "StorageUnavailable", 15.0)


def test_a_run_is_replayed_from_the_trash(local_home: Home, capsys: ReadOut) -> None:
    problem = local_home.problem.model_copy(update={"retention_days": 3})
    write_drop(local_home.drops, "dt=1/")
    watcher = local_home.app.watcher(problem)
    watcher.poll()
    local_home.clock.now += 61.0
    (report,) = watcher.poll().reports
    assert report.outcome is not None
    assert list(local_home.drops.list()) == []
    capsys.readouterr()
    run_id, place = report.outcome.commit.run_id, {"problem": "return", "results": problem.results}
    assert call("replay", run=run_id, as_json=True, **place) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["run_id"] == run_id
    assert sorted(told["restored"]) == [info.key for info in local_home.drops.list()]
    assert call("replay", run=run_id, **place) == Exit.USAGE
    assert "another object is there" in capsys.readouterr().err
    assert call("replay", run="unknown", **place) == Exit.USAGE
    watcher.poll()
    local_home.clock.now += 61.0
    (again,) = watcher.poll().reports
    assert again.outcome is not None
    assert again.outcome.commit.run_id != run_id


def test_a_check_reads_the_sql_of_a_problem(config: Path, local_home: Home, capsys: ReadOut) -> None:
    (local_home.file.parent / "prepare.sql").write_text("SELECT 1;\n\nSELEC $k", encoding="utf-8")
    local_home.file.write_text(PROBLEM + "prepare: prepare.sql\n", encoding="utf-8")
    assert check.execute(config) == Exit.USAGE
    assert "prepare.sql, line 3: Parser Error" in " ".join(capsys.readouterr().out.split())
    (local_home.file.parent / "prepare.sql").write_text("SELECT 1", encoding="utf-8")
    assert check.execute(config) == Exit.DONE
