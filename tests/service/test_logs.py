"""What a line of the log looks like, whoever writes it."""

import json
import logging
import warnings
from typing import Any

import pytest

from config import LogSettings
from service.logs import configure_logs, get_log, log_facts

ReadOut = pytest.CaptureFixture[str]


def lines(capsys: ReadOut) -> list[dict[str, Any]]:
    """Return what went to stderr, each line read as JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_everything_that_was_bound(capsys: ReadOut) -> None:
    configure_logs(LogSettings())
    get_log(problem="return").bind(drop_id="abc").info("drop_found", parts=3)
    (line,) = lines(capsys)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    expected = {"level": "info", "event": "drop_found", "problem": "return", "drop_id": "abc", "parts": 3}
    assert {key: line[key] for key in expected} == expected


def test_libraries_and_warnings_speak_in_the_same_form_and_only_from_warnings_on(capsys: ReadOut) -> None:
    configure_logs(LogSettings())
    logging.getLogger("botocore").info("a request")
    logging.getLogger("botocore").warning("a retry")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    retry, old = lines(capsys)
    assert (retry["level"], retry["event"], retry["logger"]) == ("warning", "a retry", "botocore")
    assert "DeprecationWarning: old" in old["event"]


def test_a_traceback_is_logged_at_debug_level_only(capsys: ReadOut) -> None:
    for level in ("info", "debug"):
        configure_logs(LogSettings(level=level))
        get_log().debug("traceback_taken", exc_info=ZeroDivisionError("by zero"))
    (line,) = lines(capsys)
    assert "ZeroDivisionError: by zero" in line["exception"]


def test_facts_may_be_called_anything(capsys: ReadOut) -> None:
    configure_logs(LogSettings())
    log_facts(get_log(), "stage_finished", {"event": 1, "stage": 2, "rows": 3}, stage="read")
    (line,) = lines(capsys)
    assert (line["event"], line["stage"], line["rows"]) == ("stage_finished", "read", 3)


def test_people_get_text(capsys: ReadOut) -> None:
    configure_logs(LogSettings(format="console"))
    get_log().info("drop_found", parts=3)
    text = capsys.readouterr().err
    assert ("drop_found" in text, "parts=3" in text, text.startswith("{")) == (True, True, False)
