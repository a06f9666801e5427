"""What a problem file may say, and what it means when it says little."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config import ConfigError, Problem, load_problem
from tests.config.files import SMALLEST, problem_faults, problem_of, write

SPACE = {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "optimizer": ("adamw", "adam", "sgd")}
DEFAULTS: dict[str, object] = {
    "problem": "return",
    "drops": "s3://game-features/return/",
    "results": "s3://game-results/",
    "complete": {
        "rule": "marker",
        "settle_seconds": 60.0,
        "quiet_seconds": 600.0,
        "give_up_hours": 24.0,
        "expect_by": None,
        "timezone": None,
    },
    "table": {
        "id": "user_id",
        "label": "active",
        "positive": None,
        "shape": "wide",
        "feature": ("feature",),
        "value": "value",
        "ignore": (),
        "categorical": (),
        "report_by": (),
        "dates": (),
        "sequences": {},
        "numeric": "rest",
        "group": None,
        "time": None,
        "split": None,
    },
    "task": "binary",
    "target": {"transform": "none"},
    "prepare": None,
    "parameters": {},
    "scale": {"method": "minmax", "log1p": True},
    "prune": {"correlation": 0.9, "min_rows": 10},
    "split": {"test": 0.1, "valid": 0.1, "by": "row", "stratify": True, "folds": 5, "seed": 17},
    "imbalance": {"method": "none", "cap": None},
    "net": {
        "n_blocks": 2,
        "d_block": 128,
        "d_hidden_factor": 2,
        "hidden_dropout": 0.25,
        "residual_dropout": 0.1,
        "knots": 16,
        "epochs": 40,
        "patience": "auto",
        "batch_size": "auto",
        "learning_rate": 1e-3,
        "weight_decay": 1e-2,
        "optimizer": "adamw",
        "code_penalty": "auto",
        "factorise": (),
        "n_factors": 32,
    },
    "rank": None,
    "tune": {"trials": 0, "minutes": 10.0, "metric": "auto", "space": SPACE},
    "threshold": {"policy": "max_macro_f1", "value": None},
    "explain": {"rows": 5000, "background": 64, "nodes": 4},
    "select": {"q": 0.1, "with_worse_net": False},
    "keep_inputs": False,
    "retention_days": 0,
    "notify": (),
}


def test_five_lines_are_a_problem(tmp_path: Path) -> None:
    assert problem_of(tmp_path, SMALLEST).model_dump() == DEFAULTS


def test_everything_can_be_said(tmp_path: Path) -> None:
    text = """\
problem: ctr_2
drops: in
results: file:///data/results
complete: {rule: marker, settle_seconds: 0.5}
table:
  id: i
  label: "1"
  shape: long
  feature: [log_id, feature_id]
  value: count
  ignore: [b, 5_95]
  categorical: [d, c]
  time: t
  split: s
scale: {log1p: false}
split: {test: 1e-1, valid: .2, by: time, seed: 4294967295}
imbalance: {method: class_weights, cap: 1.5}
net: {batch_size: auto, optimizer: sgd, learning_rate: 5e-4}
threshold: {policy: precision_at, value: 0.9}
keep_inputs: true
notify: []
"""
    problem = problem_of(tmp_path, text)
    assert problem.drops == f"{tmp_path}/in/"
    assert problem.results == "/data/results/"
    assert problem.home == "/data/results/ctr_2/"
    assert problem.complete.settle_seconds == 0.5
    assert problem.table.feature == ("log_id", "feature_id")
    assert problem.table.ignore == ("5_95", "b")
    assert problem.table.categorical == ("c", "d")
    assert (problem.table.label, problem.table.time, problem.table.split) == ("1", "t", "s")
    assert problem.scale.log1p is False
    assert (problem.split.test, problem.split.by, problem.split.seed) == (0.1, "time", 4294967295)
    assert (problem.imbalance.method, problem.imbalance.cap) == ("class_weights", 1.5)
    assert (problem.net.batch_size, problem.net.optimizer) == ("auto", "sgd")
    assert problem.threshold.value == 0.9
    assert problem.keep_inputs is True


def test_one_feature_column_needs_no_list(tmp_path: Path) -> None:
    text = SMALLEST.replace("active", "active, shape: long, feature: log_id")
    assert problem_of(tmp_path, text).table.feature == ("log_id",)


def test_a_problem_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        problem_of(tmp_path, SMALLEST).task = "binary"


def test_options_of_a_command_replace_keys_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "folder/problem.yaml", SMALLEST.replace("results: s3://game-results/\n", ""))
    monkeypatch.chdir(tmp_path)
    problem = load_problem(path, {"results": "here", "keep_inputs": True})
    assert (problem.results, problem.keep_inputs) == (f"{tmp_path}/here/", True)
    with pytest.raises(ConfigError) as caught:
        load_problem(path, {"results": "ftp://x"})
    assert str(caught.value) == (
        'command line results: found "ftp://x", expected s3://bucket/prefix, file:///folder or a local folder '
        "(the prefix of all results; ends in / once read)"
    )


def test_all_faults_of_a_file_come_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = """\
problem: Return!
drops: gs://x
table:
  lable: active
  id: 7
select: {q: 2}
net: {batch_size: 0, d_blok: 3}
explain:
split: {test: 0.5, valid: 0.5}
keep_inputs: "yes"
select: {}
"""
    assert problem_faults(tmp_path, text) == [
        (
            'problem.yaml:1 problem: found "Return!", expected a text like ^[a-z0-9_-]+$ '
            "(the name, also part of object keys)"
        ),
        "problem.yaml:1 results: found nothing, expected a value (the prefix of all results; ends in / once read)",
        (
            'problem.yaml:2 drops: found "gs://x", expected s3://bucket/prefix, file:///folder or a local folder '
            "(the watched prefix; ends in / once read)"
        ),
        "problem.yaml:3 table.label: found nothing, expected a value (the column to be predicted)",
        "problem.yaml:4 table.lable: found an unknown key, expected a known key; did you mean label?",
        "problem.yaml:5 table.id: found 7, expected a text (numbers in quotes) (the column that names a row)",
        "problem.yaml:6 select.q: found 2, expected less than 1 (the share of false discoveries that is accepted)",
        (
            "problem.yaml:7 net.batch_size: found 0, expected greater than or equal to 2 or 'auto' "
            "(rows of a minibatch; auto: 64 to 1024, by the number of rows)"
        ),
        "problem.yaml:7 net.d_blok: found an unknown key, expected a known key; did you mean d_block?",
        "problem.yaml:8 explain: found nothing, expected a mapping of keys (how many attributions, how exactly)",
        "problem.yaml:9 split.test: found test + valid = 1, expected less than 1: the rest of the rows trains",
        'problem.yaml:10 keep_inputs: found "yes", expected true or false (true: consumed inputs are not deleted)',
        "problem.yaml:11 select: found the key a second time, expected it once (it stands on line 6)",
    ]


def test_a_key_like_no_other_is_answered_with_all_keys(tmp_path: Path) -> None:
    assert problem_faults(tmp_path, f"{SMALLEST}scale: {{zzz: 1}}\n") == [
        "problem.yaml:5 scale.zzz: found an unknown key, expected one of method, log1p"
    ]


def test_a_missing_problem_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/absent\.yaml: found no such file, expected a YAML file$"):
        load_problem(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("task: cluster", "task: found \"cluster\", expected 'binary', 'multiclass' or 'regression'"),
        (
            "complete: {expect_by: 10:30}",
            'complete.expect_by: found "10:30", which is not available yet, expected no alarm: leave it out',
        ),
        (
            "complete: {timezone: Asia/Seoul}",
            'complete.timezone: found "Asia/Seoul", which is not available yet, expected no alarm: leave it out',
        ),
        (
            "notify: [mailto:me]",
            'notify: found ["mailto:me"], which is not available yet, expected the log: leave it out',
        ),
    ],
)
def test_what_is_not_built_yet_says_so_and_what_there_is(tmp_path: Path, line: str, fault: str) -> None:
    (found,) = problem_faults(tmp_path, f"{SMALLEST}{line}\n")
    assert found.startswith(f"problem.yaml:5 {fault}")


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (
            "sequences: {seq: {encoder: gru}}",
            "sequences.seq.encoder: found \"gru\", expected 'mean', 'lstm' or 'attention'",
        ),
        ("time: {a: b}", 'time: found {"a": "b"}, which is not available yet, expected the name of one column'),
        ("numeric: [a]", 'numeric: found ["a"], which is not available yet, expected rest; columns to be left out'),
    ],
)
def test_what_tables_cannot_hold_yet_says_so(tmp_path: Path, column: str, fault: str) -> None:
    (found,) = problem_faults(tmp_path, SMALLEST.replace("active", f"active, {column}"))
    assert found.startswith(f"problem.yaml:4 table.{fault}")


def test_the_canonical_form_has_defaults_sorted_keys_and_nothing_without_effect(tmp_path: Path) -> None:
    canonical = problem_of(tmp_path, SMALLEST).canonical_json()
    expected = {
        key: value
        for key, value in DEFAULTS.items()
        if key not in {"drops", "results", "complete", "keep_inputs", "retention_days", "notify"}
    }
    assert json.loads(canonical) == json.loads(json.dumps(expected))
    assert canonical == json.dumps(json.loads(canonical), sort_keys=True, separators=(",", ":"))


def test_what_does_not_affect_a_result_does_not_change_the_canonical_form(tmp_path: Path) -> None:
    other = """\
keep_inputs: true
complete: {settle_seconds: 5}
table: {label: active, id: user_id, shape: wide}
results: s3://elsewhere/
drops: here
split: {seed: 17}
problem: return
"""
    assert problem_of(tmp_path, other).canonical_json() == problem_of(tmp_path, SMALLEST).canonical_json()


@pytest.mark.parametrize(
    "line", ["split: {seed: 18}", "prune: {correlation: 0.7}", "net: {epochs: 3}", "select: {q: 0.2}"]
)
def test_what_affects_a_result_changes_the_canonical_form(tmp_path: Path, line: str) -> None:
    plain = problem_of(tmp_path, SMALLEST).canonical_json()
    assert problem_of(tmp_path, f"{SMALLEST}{line}\n").canonical_json() != plain


@given(st.permutations(["a", "b", "5_95", "é"]))
def test_the_order_of_a_set_of_columns_does_not_change_the_canonical_form(names: list[str]) -> None:
    def form(ignore: list[str]) -> str:
        table = {"id": "i", "label": "l", "ignore": ignore}
        return Problem.model_validate(
            {"problem": "p", "drops": "s3://a", "results": "s3://b", "table": table}
        ).canonical_json()

    assert form(names) == form(sorted(names))


@given(st.text(max_size=70))
def test_only_safe_names_are_names(name: str) -> None:
    given_data = {"problem": name, "drops": "s3://a", "results": "s3://b", "table": {"id": "i", "label": "l"}}
    is_safe = 1 <= len(name) <= 64 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    try:
        is_accepted = Problem.model_validate(given_data).problem == name
    except ValidationError:
        is_accepted = False
    assert is_accepted is is_safe


def test_every_key_is_described() -> None:
    undescribed: list[str] = []
    for name, field in Problem.model_fields.items():
        section = getattr(field.annotation, "model_fields", {})
        undescribed += [name] if not field.description else []
        undescribed += [f"{name}.{key}" for key, inner in section.items() if not inner.description]
    assert undescribed == []


def test_the_sql_beside_a_problem_is_part_of_it(tmp_path: Path) -> None:
    write(tmp_path, "prepare.sql", "SELECT $k AS k")
    named = problem_of(tmp_path, SMALLEST + "prepare: prepare.sql\nparameters: {k: 3, ids: [a, b]}\n")
    inline = problem_of(tmp_path, SMALLEST + 'prepare: {sql: "SELECT $k AS k"}\nparameters: {k: 3, ids: [a, b]}\n')
    assert named.prepare is not None
    assert (named.prepare.sql, named.prepare.file, named.prepare.minutes) == ("SELECT $k AS k", "prepare.sql", 60.0)
    assert named.parameters == {"k": 3, "ids": ("a", "b")}
    assert named.canonical_json() == inline.canonical_json()
    write(tmp_path, "prepare.sql", "SELECT $k + 1 AS k")
    changed = problem_of(
        tmp_path, SMALLEST + "prepare: {file: prepare.sql, minutes: 5}\nparameters: {k: 3, ids: [a, b]}\n"
    )
    assert changed.canonical_json() != named.canonical_json()


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("prepare: none.sql", 'prepare: found "none.sql": no such file or directory, expected a file of SQL beside'),
        ("prepare: {minutes: 3}", "prepare: found no SQL, expected the name of a file"),
        ("prepare: 3", "prepare: found 3"),
        ("parameters: {k: 1}", "parameters: found k, expected none of them, or the SQL that uses them under prepare"),
        ('prepare: {sql: "SELECT 1"}\nparameters: {a b: 1}', "parameters.a b: found"),
        ('prepare: {sql: "SELECT 1"}\nparameters: {a: {b: 1}}', "parameters.a: found"),
    ],
)
def test_faults_of_prepare_are_told(tmp_path: Path, lines: str, fault: str) -> None:
    assert fault in "\n".join(problem_faults(tmp_path, SMALLEST + lines + "\n"))
