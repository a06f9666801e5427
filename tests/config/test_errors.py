"""How faults read."""

from config import ConfigError, Fault


def test_a_fault_says_where_what_and_what_would_be_right() -> None:
    fault = Fault("winnow.yaml", 12, "problems[0]", "nothing", "a path")
    assert str(fault) == "winnow.yaml:12 problems[0]: found nothing, expected a path"


def test_a_fault_without_line_or_key_leaves_them_out() -> None:
    assert str(Fault("environment", None, "WINNOW_X", "1", "2")) == "environment WINNOW_X: found 1, expected 2"
    assert str(Fault("w.yaml", 3, "", "1", "2")) == "w.yaml:3: found 1, expected 2"


def test_an_error_lists_all_its_faults() -> None:
    first, second = Fault("a", 1, "k", "x", "y"), Fault("b", 2, "l", "x", "y")
    error = ConfigError(iter([first, second]))
    assert error.faults == (first, second)
    assert str(error) == "a:1 k: found x, expected y\nb:2 l: found x, expected y"
