"""`winnow run`, with the substitute for the work."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config import Settings
from jobs.observer import Silent
from jobs.run import concluded_before
from jobs.work import Work
from service.app import App
from service.commands import call, run
from service.exits import Exit
from storage.claims import Claims
from storage.drops import snapshot_at
from storage.errors import DropIncomplete
from storage.keys import MARKER, claim_key, done_key, quarantine_key
from storage.quarantine import put_aside, read_all
from tests.service.conftest import Clock, Home, app_of
from tests.service.substitute import PROBLEM, small_run, write_drop, write_part

ReadOut = pytest.CaptureFixture[str]


def run_drop(home: Home, folder: str, *, keep_inputs: bool = False, as_json: bool = False) -> Exit:
    """Run the command on a folder of the drops."""
    where, results = home.drops.url + folder, home.results.url
    return run.execute(where, home.file, results, keep_inputs=keep_inputs, as_json=as_json, make_app=app_of)


def test_a_drop_becomes_a_run_and_one_json_object(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/")
    assert run_drop(home, "dt=1", as_json=True) == Exit.DONE
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["status", "run_id", "commit", "metrics", "top"]
    assert printed["status"] == "committed"
    assert printed["commit"] == f"{home.results.url}return/runs/{printed['run_id']}/COMMIT.json"
    assert printed["metrics"]["test"]["net"]["auc"]["value"] == 0.75
    assert [row["feature"] for row in printed["top"]] == ["5_95", "9_9", "5_96", "1_1"]
    assert [info.key for info in home.drops.list() if info.key.endswith("parquet")] == []


def test_a_person_sees_the_table_the_metrics_and_where_the_files_are(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/")
    assert run_drop(home, "dt=1/") == Exit.DONE
    printed = capsys.readouterr().out
    for words in ("5_95", "selected", "LightGBM", ".750 [.700 .800]", "1 twins of a kept column", "/attempt-1-"):
        assert words in printed


def test_a_drop_that_is_done_says_so(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/")
    assert run_drop(home, "dt=1", keep_inputs=True, as_json=True) == Exit.DONE
    assert run_drop(home, "dt=1", keep_inputs=True, as_json=True) == Exit.DONE
    decoder, printed = json.JSONDecoder(), capsys.readouterr().out
    first, end = decoder.raw_decode(printed)
    second = json.loads(printed[end:])
    assert (first["status"], second["status"]) == ("committed", "already_done")
    assert second["run_id"] == first["run_id"]


def test_a_rejected_drop_is_put_aside_with_the_reason(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/", "rejected")
    assert run_drop(home, "dt=1") == Exit.REJECTED
    captured = capsys.readouterr()
    assert 'there is no column "active". Name the label in table.label' in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert [record.error for record in read_all(home.results, "return")] == ["MissingLabel"]


def test_a_rejection_for_a_program_is_one_json_object(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/", "rejected")
    assert run_drop(home, "dt=1", as_json=True) == Exit.REJECTED
    printed = json.loads(capsys.readouterr().out)
    assert (printed["status"], printed["exit_code"], printed["run_id"]) == ("rejected", 3, None)
    assert printed["error"]["class"] == "MissingLabel"


def test_a_drop_in_quarantine_is_tried_again_when_asked_for_by_name(home: Home) -> None:
    write_drop(home.drops, "dt=1/", "rejected")
    drop = snapshot_at(home.drops, "dt=1/")
    put_aside(home.results, "return", drop, error="Old", message="long ago", found_at=drop.marker.modified)
    assert run_drop(home, "dt=1") == Exit.REJECTED
    assert [record.error for record in read_all(home.results, "return")] == ["MissingLabel"]


def test_a_folder_that_is_not_finished_is_not_put_aside(home: Home) -> None:
    write_part(home.drops, "dt=1/")
    before = list(home.drops.list())
    with pytest.raises(DropIncomplete, match=MARKER):
        run_drop(home, "dt=1")
    assert list(home.drops.list()) == before
    assert read_all(home.results, "return") == []


@pytest.mark.parametrize(
    ("says", "code"), [("failing", Exit.RUN_FAILED), ("broken", Exit.RUN_FAILED), ("unreachable", Exit.STORE_FAILED)]
)
def test_a_failure_that_is_not_the_drops_fault_does_not_put_it_aside(home: Home, says: str, code: Exit) -> None:
    write_drop(home.drops, "dt=1/", says)
    assert run_drop(home, "dt=1") == code
    assert read_all(home.results, "return") == []


def test_the_folder_of_a_local_drop_goes_with_its_last_file(local_home: Home, tmp_path: Path) -> None:
    write_drop(local_home.drops, "dt=1/")
    assert run_drop(local_home, "dt=1") == Exit.DONE
    assert [path.name for path in (tmp_path / "drops").iterdir() if not path.name.startswith(".")] == []


def test_a_claim_of_a_dead_worker_is_waited_for(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/")
    drop = snapshot_at(local_home.drops, "dt=1/")
    assert Claims(local_home.results, "return", "dead", 0.2, Clock()).take(drop.drop_id) is not None

    def impatient(settings: Settings) -> App:
        made = app_of(settings.model_copy(update={"claim_ttl_seconds": 0.2}))
        return App(settings=made.settings, run_drop=made.run_drop, make_bars=made.make_bars)

    where = f"{local_home.drops.url}dt=1"
    code = run.execute(where, local_home.file, local_home.results.url, make_app=impatient)
    assert code == Exit.DONE


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://bucket/a/b/", ("s3://bucket/a/", "b/")),
        ("s3://bucket/a/", ("s3://bucket/", "a/")),
        ("s3://bucket/", ("s3://bucket/", "")),
        ("/a/b/", ("/a/", "b/")),
        ("/a/", ("/", "a/")),
        ("/", ("/", "")),
    ],
)
def test_the_store_of_a_drop_is_above_its_folder(location: str, expected: tuple[str, str]) -> None:
    assert run.store_and_folder(location) == expected


def called(home: Home, folder: str, results: str, capsys: ReadOut) -> tuple[int, str]:
    """Call the command as the command line does; return the exit code and what was told."""
    code = call("run", drop=home.drops.url + folder, problem=home.file, results=results, make_app=app_of)
    return code, capsys.readouterr().err


def test_another_problem_is_another_run_as_long_as_the_inputs_are_there(home: Home, capsys: ReadOut) -> None:
    def told(*, keep_inputs: bool) -> tuple[str, str]:
        assert run_drop(home, "dt=1", keep_inputs=keep_inputs, as_json=True) == Exit.DONE
        printed = json.loads(capsys.readouterr().out)
        return printed["status"], printed["run_id"]

    write_drop(home.drops, "dt=1/")
    _, first = told(keep_inputs=True)
    home.file.write_text(PROBLEM + "net: {d_block: 32}\n", encoding="utf-8")
    status, second = told(keep_inputs=True)
    assert (status, second == first) == ("committed", False)
    assert told(keep_inputs=True) == ("already_done", second)
    home.file.write_text(PROBLEM, encoding="utf-8")
    assert told(keep_inputs=True) == ("already_done", first)
    home.file.write_text(PROBLEM + "net: {d_block: 48}\n", encoding="utf-8")
    assert told(keep_inputs=False)[0] == "committed"
    assert [info.key for info in home.drops.list() if info.key.endswith("parquet")] == []


def test_inputs_that_an_earlier_run_kept_are_named(home: Home, capsys: ReadOut) -> None:
    write_drop(home.drops, "dt=1/")
    assert run_drop(home, "dt=1", keep_inputs=True) == Exit.DONE
    assert run_drop(home, "dt=1", keep_inputs=True) == Exit.DONE
    assert run.KEPT not in capsys.readouterr().out
    assert run_drop(home, "dt=1") == Exit.DONE
    assert run.KEPT in capsys.readouterr().out
    assert run_drop(home, "dt=1", as_json=True) == Exit.DONE
    captured = capsys.readouterr()
    assert (json.loads(captured.out)["status"], run.KEPT in captured.err) == ("already_done", True)


@pytest.mark.parametrize("key_of", [quarantine_key, claim_key, done_key])
def test_a_damaged_control_object_is_a_failure_of_the_store(
    local_home: Home, key_of: Callable[[str, str], str], capsys: ReadOut
) -> None:
    write_drop(local_home.drops, "dt=1/")
    drop_id = snapshot_at(local_home.drops, "dt=1/").drop_id
    local_home.results.write(key_of("return", drop_id), b"torn")
    code, told = called(local_home, "dt=1", local_home.results.url, capsys)
    assert (code, f"{drop_id}.json" in told) == (Exit.STORE_FAILED, True)
    assert len(list(local_home.drops.list())) == 2


@pytest.mark.parametrize("results", ["problem.yaml", "problem.yaml/x", "/dev/null/x"])
def test_a_results_folder_that_cannot_be_made_is_a_failure_of_the_store(
    local_home: Home, tmp_path: Path, results: str, capsys: ReadOut
) -> None:
    write_drop(local_home.drops, "dt=1/")
    code, told = called(local_home, "dt=1", str(tmp_path / results), capsys)
    assert (code, "the folder cannot be made" in told) == (Exit.STORE_FAILED, True)


def test_a_path_with_nothing_there_is_told_from_a_drop_that_is_not_finished(home: Home, capsys: ReadOut) -> None:
    write_part(home.drops, "dt=1/")
    for folder, found in (("dt=1", f"there is no {MARKER}"), ("dt=2", "there is nothing there")):
        code, told = called(home, folder, home.results.url, capsys)
        assert (code, f"/{folder}/: {found}" in told) == (Exit.REJECTED, True)


def test_a_run_that_is_committed_is_finished_and_not_done_again(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/")
    drop = snapshot_at(local_home.drops, "dt=1/")
    work = Work(local_home.problem, drop, local_home.drops, local_home.results, fence=1, threads=1)
    first = small_run(work, Silent())
    again = concluded_before(work, first.commit.run_id)
    assert again is not None
    assert (again.commit, again.is_new) == (first.commit, False)
    assert concluded_before(work, "another run") is None
