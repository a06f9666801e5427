"""The settings of the service, from the file and from the environment."""

from pathlib import Path

import pytest

from config import ConfigError, LogSettings, Settings, load_service, load_settings
from tests.config.files import SMALLEST, service_faults, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one good problem file."""
    write(tmp_path, "return.yaml", SMALLEST)
    return tmp_path


def _settings(folder: Path, text: str) -> Settings:
    return load_service(write(folder, "winnow.yaml", f"problems: return.yaml\n{text}")).settings


def test_the_defaults_are_good_enough(folder: Path) -> None:
    assert _settings(folder, "").model_dump() == {
        "problems": ("return.yaml",),
        "poll_seconds": 30.0,
        "claim_ttl_seconds": 300.0,
        "threads": None,
        "max_memory": None,
        "engine": "local",
        "log": {"format": "auto", "level": "info"},
        "heartbeat": None,
        "http": None,
        "notify": (),
    }


def test_everything_can_be_said_in_the_file(folder: Path) -> None:
    text = """\
poll_seconds: 0.5
claim_ttl_seconds: 9
threads: 2
max_memory: 4GB
log: {format: json, level: debug}
heartbeat: /tmp/alive
"""
    settings = _settings(folder, text)
    assert (settings.poll_seconds, settings.claim_ttl_seconds, settings.threads) == (0.5, 9.0, 2)
    assert settings.max_memory == 4_000_000_000
    assert settings.log == LogSettings(format="json", level="debug")
    assert settings.heartbeat == Path("/tmp/alive")  # noqa: S108 - nothing is written there


def test_every_key_can_come_from_the_environment_and_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "WINNOW_PROBLEMS": "[return.yaml, return.yaml]",
        "WINNOW_POLL_SECONDS": "5",
        "WINNOW_CLAIM_TTL_SECONDS": "1e1",
        "WINNOW_THREADS": "3",
        "WINNOW_MAX_MEMORY": "1KiB",
        "WINNOW_ENGINE": "local",
        "WINNOW_LOG__LEVEL": "error",
        "WINNOW_HEARTBEAT": "/run/alive",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = _settings(folder, "poll_seconds: 7\nlog: {format: json, level: debug}\nthreads: 1\n")
    assert settings.model_dump() == {
        "problems": ("return.yaml", "return.yaml"),
        "poll_seconds": 5.0,
        "claim_ttl_seconds": 10.0,
        "threads": 3,
        "max_memory": 1024,
        "engine": "local",
        "log": {"format": "json", "level": "error"},
        "heartbeat": Path("/run/alive"),
        "http": None,
        "notify": (),
    }


def test_a_whole_section_can_be_one_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_LOG", "{level: error}")
    assert _settings(folder, "log: {format: json}\n").log == LogSettings(format="json", level="error")


def test_an_empty_variable_is_no_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_POLL_SECONDS", "")
    assert _settings(folder, "poll_seconds: 7\n").poll_seconds == 7.0


def test_variables_of_others_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_SERVICE_HOST", "10.0.0.1")  # what an orchestrator injects for a service of this name
    assert _settings(folder, "").poll_seconds == 30.0


def test_constructing_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_POLL_SECONDS", "5")
    assert Settings().poll_seconds == 30.0
    assert load_settings().poll_seconds == 5.0


def test_a_faulty_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_POLL_SECONDS", "often")
    monkeypatch.setenv("WINNOW_LOG__LEVLE", "debug")
    monkeypatch.setenv("WINNOW_HTTP", "{port: 80}")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert sorted(str(caught.value).splitlines()) == [
        (
            'environment WINNOW_HTTP: found {"port": 80}, which is not available yet, '
            "expected the command line: leave it out (the web pages of the service)"
        ),
        "environment WINNOW_LOG__LEVLE: found an unknown key, expected a known key; did you mean level?",
        (
            'environment WINNOW_POLL_SECONDS: found "often", expected a number '
            "(how often every problem's prefix is listed)"
        ),
    ]


def test_a_fault_of_the_file_is_not_blamed_on_a_variable_beside_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINNOW_LOG__LEVEL", "debug")
    path = write(folder, "winnow.yaml", "problems: [return.yaml]\nlog: {format: xml}\n")
    assert service_faults(path) == [
        (
            "winnow.yaml:2 log.format: found \"xml\", expected 'auto', 'console' or 'json' "
            "(auto: console on a terminal, else json)"
        )
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "poll_seconds: 0",
            "poll_seconds: found 0, expected greater than 0 (how often every problem's prefix is listed)",
        ),
        ("poll_seconds: .inf", "poll_seconds: found Infinity, expected a finite number (how often"),
        ('poll_seconds: "30"', 'poll_seconds: found "30", expected a number (how often'),
        ("threads: 0", "threads: found 0, expected greater than or equal to 1 (threads of one run"),
        ("threads: true", "threads: found true, expected a whole number (threads of one run"),
        ("threads: 1.5", "threads: found 1.5, expected a whole number (threads of one run"),
        ("max_memory: 4 parsecs", 'max_memory: found "4 parsecs", expected a size such as 4GB (memory of one run'),
        ("max_memory: 0", "max_memory: found 0, expected greater than 0 (memory of one run"),
        ("max_memory: true", "max_memory: found true, expected a size such as 4GB (memory of one run"),
        ("engine: ray", 'engine: found "ray", which is not available yet, expected local (where runs'),
        ("engine: cloud", "engine: found \"cloud\", expected 'local' (where runs"),
        ("http: {port: 80}", 'http: found {"port": 80}, which is not available yet, expected the command line'),
        ("notify: [x]", 'notify: found ["x"], which is not available yet, expected the log'),
        ("pol_seconds: 3", "pol_seconds: found an unknown key, expected a known key; did you mean poll_seconds?"),
        ("heartbeat: 3", "heartbeat: found 3, expected a path (a file that the service touches"),
        ("log: {level: loud}", "log.level: found \"loud\", expected 'debug', 'info', 'warning' or 'error' (the least"),
    ],
)
def test_a_wrong_setting_is_a_fault(folder: Path, line: str, fault: str) -> None:
    (found,) = service_faults(write(folder, "winnow.yaml", f"problems: [return.yaml]\n{line}\n"))
    assert found.startswith(f"winnow.yaml:2 {fault}")


def test_a_fault_inside_a_whole_section_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("winnow_log", "{level: loud}")
    with pytest.raises(ConfigError, match=r'^environment WINNOW_LOG: found "loud", expected'):
        load_settings()
