"""winnow.yaml together with all the problem files it names."""

from pathlib import Path

import config
from tests.config.files import SMALLEST, service_faults, write


def _problem(name: str, drops: str = "", results: str = "s3://results/", more: str = "") -> str:
    drops = drops or f"s3://drops/{name}/"
    return f"problem: {name}\ndrops: {drops}\nresults: {results}\ntable: {{id: i, label: l}}\n{more}"


def test_problems_are_paths_and_globs_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", _problem("a", drops="in", results="out"))
    write(tmp_path, "more/c.yaml", _problem("c", drops="in"))
    write(tmp_path, "more/b.yaml", _problem("b"))
    write(tmp_path, "more/deep/d.yaml", _problem("d"))
    elsewhere = write(tmp_path, "x/absolute.yaml", _problem("e"))
    path = write(tmp_path, "winnow.yaml", f"problems: [a.yaml, more/**/*.yaml, more/b.yaml, {elsewhere}]\n")
    service = config.load_service(path)
    assert [problem.problem for problem in service.problems] == ["a", "b", "c", "d", "e"]
    assert service.problems[0].drops == f"{tmp_path}/in/"
    assert service.problems[0].results == f"{tmp_path}/out/"
    assert service.problems[2].drops == f"{tmp_path}/more/in/"


def test_the_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", _problem("a", more="tune: {trials: -1}\n"))
    write(tmp_path, "b.yaml", "problem: b\n  drops: x")
    write(tmp_path, "c.yaml", _problem("a", drops="s3://drops/c/", more="split: {by: time}\n"))
    text = "problems:\n  - a.yaml\n  - absent.yaml\n  - b.yaml\n  - none/*.yaml\n  - c.yaml\npoll_seconds: no\n"
    assert service_faults(write(tmp_path, "winnow.yaml", text)) == [
        'winnow.yaml:3 problems[1]: found "absent.yaml": no such file, expected a problem file',
        'winnow.yaml:5 problems[3]: found "none/*.yaml": no such file, expected a problem file',
        'winnow.yaml:7 poll_seconds: found "no", expected a number (how often every problem\'s prefix is listed)',
        "a.yaml:5 tune.trials: found -1, expected greater than or equal to 0 (trials; 0: no search)",
        "b.yaml:2: found a syntax error (mapping values are not allowed here), expected YAML",
        "c.yaml:5 split.by: found time, expected table.time to name a column, or by: row",
        'c.yaml:1 problem: found "a", the name in a.yaml too, expected a name of its own',
    ]


def test_a_service_without_problems_is_a_fault(tmp_path: Path) -> None:
    expected = ": found nothing, expected at least one problem file"
    assert service_faults(write(tmp_path, "none.yaml", "threads: 1\n")) == [f"none.yaml:1 problems{expected}"]
    assert service_faults(write(tmp_path, "empty.yaml", "threads: 1\nproblems: []\n")) == [
        f"empty.yaml:2 problems{expected}"
    ]


def test_a_name_too_long_for_any_file_leads_nowhere(tmp_path: Path) -> None:
    (fault,) = service_faults(write(tmp_path, "winnow.yaml", f"problems: {'x' * 5000}\n"))
    assert fault.endswith('xxx": no such file, expected a problem file')


def test_a_faulty_list_of_problems_is_one_fault(tmp_path: Path) -> None:
    assert service_faults(write(tmp_path, "winnow.yaml", "problems:\n - 3\n")) == [
        "winnow.yaml:2 problems[0]: found 3, expected a text (numbers in quotes)"
    ]


def test_a_service_file_that_is_no_yaml_is_one_fault(tmp_path: Path) -> None:
    assert service_faults(write(tmp_path, "winnow.yaml", "problems: [")) == [
        "winnow.yaml:1: found a syntax error (expected the node content, but found '<stream end>'), expected YAML"
    ]
    assert service_faults(tmp_path / "absent.yaml") == ["absent.yaml: found no such file, expected a YAML file"]


def test_a_file_named_twice_is_one_problem(tmp_path: Path) -> None:
    write(tmp_path, "return.yaml", SMALLEST)
    path = write(tmp_path, "winnow.yaml", "problems: [return.yaml, '*turn.yaml', ./return.yaml]\n")
    assert len(config.load_service(path).problems) == 1


def _pair_faults(folder: Path, first: str, second: str) -> list[str]:
    write(folder, "a.yaml", first)
    write(folder, "b.yaml", second)
    return service_faults(write(folder, "winnow.yaml", "problems: [a.yaml, b.yaml]\n"))


def test_two_problems_do_not_take_each_others_drops(tmp_path: Path) -> None:
    fault = (
        "b.yaml:2 drops: found s3://drops/x/, which overlaps s3://drops/ of a.yaml, "
        "expected a prefix of its own, or keep_inputs: true in both"
    )
    both = _problem("a", "s3://drops/"), _problem("b", "s3://drops/x/")
    assert _pair_faults(tmp_path, *both) == [fault]
    assert _pair_faults(tmp_path, both[0], f"{both[1]}keep_inputs: true\n") == [fault]


def test_two_problems_that_delete_nothing_may_read_the_same_drops(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}.yaml", _problem(name, "s3://drops/", more="keep_inputs: true\n"))
    service = config.load_service(write(tmp_path, "winnow.yaml", "problems: '*[ab].yaml'\n"))
    assert [problem.problem for problem in service.problems] == ["a", "b"]


def test_no_problem_writes_where_another_one_watches(tmp_path: Path) -> None:
    one, other = _problem("a", "s3://x/in/"), _problem("b", results="s3://x/in/deep/")
    assert _pair_faults(tmp_path, one, other) == [
        (
            "b.yaml:3 results: found s3://x/in/deep/b/, which overlaps the drops of a.yaml, "
            "expected a prefix that no problem watches"
        )
    ]
    assert _pair_faults(tmp_path, other, one) == [
        (
            "b.yaml:2 drops: found s3://x/in/, which overlaps the results of a.yaml, "
            "expected a prefix that no problem writes to"
        )
    ]


def test_faulty_prefixes_clash_with_nothing(tmp_path: Path) -> None:
    faults = _pair_faults(tmp_path, _problem("a", "gs://x"), _problem("b", "gs://x"))
    assert [fault.split(": found")[0] for fault in faults] == ["a.yaml:2 drops", "b.yaml:2 drops"]


def test_faulty_names_clash_with_nothing(tmp_path: Path) -> None:
    faults = _pair_faults(tmp_path, _problem("A"), _problem("A"))
    assert [fault.split(": found")[0] for fault in faults] == ["a.yaml:1 problem", "b.yaml:1 problem"]
