"""Keys that are fine alone and wrong together."""

from pathlib import Path

import pytest

from tests.config.files import SMALLEST, problem_faults, problem_of


def _text(*, table: str = "", lines: str = "") -> str:
    return SMALLEST.replace("label: active", f"label: active{table}") + lines


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            _text(table=", sequences: {active: {}}"),
            '4 table.sequences: found "active", which is the label, expected columns other than id and label',
        ),
        (
            _text(table=", sequences: {seen: {}}, ignore: [seen]"),
            '4 table.sequences: found "seen", which stands under ignore too, expected it in one of the two',
        ),
        (
            _text(table=", sequences: {seen: {}}, shape: long"),
            (
                "4 table.sequences: found sequences, with shape long, "
                "expected none: a long table has one value a line; let the SQL of prepare write a wide one"
            ),
        ),
        (
            SMALLEST.replace("user_id", "probability_of_rain"),
            (
                '4 table.id: found "probability_of_rain", expected another name: '
                "shap_values and predictions have a column of that name, so rename the id column"
            ),
        ),
        (
            _text(table=", categorical: [seen]", lines="net: {factorise: [seen]}\n"),
            "5 net.factorise: found seen alone, expected at least two columns: values of one go with those of others",
        ),
        (
            _text(lines="net: {factorise: [a, user_id]}\n"),
            "5 net.factorise: found user_id, not learned from, expected columns that are learned from",
        ),
        (
            _text(lines="task: multiclass\nnet: {factorise: [a, b]}\n"),
            "6 net.factorise: found a factorisation, with multiclass, expected task binary or regression",
        ),
        (
            _text(table=", categorical: [item]", lines="rank: {by: user, items: item}\n"),
            "5 rank: found user, no category, expected columns of table.categorical",
        ),
        (
            _text(table=", categorical: [item, user]", lines="rank: {by: user, items: [item, item]}\n"),
            "5 rank.items: found user, item, item, expected each column once",
        ),
        (
            _text(table=", categorical: [item, user]", lines="task: multiclass\nrank: {by: user, items: item}\n"),
            "6 rank: found a ranking, with multiclass, expected task binary or regression",
        ),
        (
            _text(lines="task: regression\nimbalance: {method: smote}\n"),
            "6 imbalance.method: found smote, with regression, expected none: there are no classes",
        ),
        (
            _text(lines="task: multiclass\nthreshold: {policy: max_macro_f1}\n"),
            "6 threshold: found a threshold, with multiclass, expected no threshold",
        ),
        (
            _text(lines="target: {transform: log1p}\n"),
            "5 target.transform: found log1p, with binary, expected none: classes are no numbers",
        ),
        (
            _text(lines="task: regression\ntune: {metric: auc}\n"),
            "6 tune.metric: found auc, with regression, expected auto or loss",
        ),
        (
            _text(lines="split:\n  test: 0.6\n  valid: 0.4\n"),
            "6 split.test: found test + valid = 1, expected less than 1: the rest of the rows trains",
        ),
        (
            _text(lines="split: {valid: 0.9}\n"),
            "5 split.test: found test + valid = 1, expected less than 1: the rest of the rows trains",
        ),
        (
            _text(lines="keep_inputs: true\nretention_days: 7\n"),
            "6 retention_days: found 7 beside keep_inputs: true, expected one of the two",
        ),
        (
            SMALLEST.replace("user_id", "active"),
            '4 table.id: found the label "active", expected another column than the label',
        ),
        (
            _text(table=", group: active", lines="split: {by: group}\n"),
            '4 table.group: found the label "active", expected another column than the label',
        ),
        (
            _text(table=", group: clan"),
            '4 table.group: found "clan" beside split.by: row, expected split.by: group, or no table.group',
        ),
        (
            _text(table=", group: clan, time: day", lines="split: {by: time}\n"),
            '4 table.group: found "clan" beside split.by: time, expected split.by: group, or no table.group',
        ),
        (
            _text(table=", time: day"),
            '4 table.time: found "day" beside split.by: row, expected split.by: time, or no table.time',
        ),
        (
            _text(table=", time: active", lines="split: {by: time}\n"),
            '4 table.time: found the label "active", expected another column than the label',
        ),
        (
            _text(table=", split: active"),
            '4 table.split: found the label "active", expected another column than the label',
        ),
        (
            _text(table=", ignore: [a, b], categorical: [b, c]"),
            '4 table.categorical: found "b", which stands under ignore too, expected it in one of the two',
        ),
        (
            _text(table=", dates: [seen], report_by: [seen]"),
            '4 table.report_by: found "seen", which stands under dates too, expected it in one of the two',
        ),
        (
            _text(table=", dates: [active]"),
            '4 table.dates: found "active", which is the label, expected columns other than id and label',
        ),
        (
            _text(table=", dates: [seen], time: seen"),
            '4 table.dates: found "seen", which is table.time, expected other dates: they are counted up to it',
        ),
        (
            _text(table=", ignore: [active]"),
            '4 table.ignore: found "active", which is the label, expected columns other than id and label',
        ),
        (
            _text(table=", ignore: [user_id]"),
            '4 table.ignore: found "user_id", which is the id, expected columns other than id and label',
        ),
        (
            _text(table=", categorical: [active]"),
            '4 table.categorical: found "active", which is the label, expected columns other than id and label',
        ),
        (
            _text(table=", categorical: [user_id]"),
            '4 table.categorical: found "user_id", which is the id, expected columns other than id and label',
        ),
        (
            _text(lines="split: {by: group}\n"),
            "5 split.by: found group, expected table.group to name a column, or by: row",
        ),
        (
            _text(lines="split: {by: time}\n"),
            "5 split.by: found time, expected table.time to name a column, or by: row",
        ),
        (
            _text(lines="threshold: {policy: fixed}\n"),
            "5 threshold.value: found nothing beside policy fixed, expected a number from 0 to 1",
        ),
        (
            _text(lines="threshold: {policy: precision_at}\n"),
            "5 threshold.value: found nothing beside policy precision_at, expected a number from 0 to 1",
        ),
        (
            _text(lines="threshold: {value: 0.5}\n"),
            (
                "5 threshold.value: found 0.5 beside policy max_macro_f1, "
                "expected no value, or policy fixed or precision_at"
            ),
        ),
        (
            _text(lines="imbalance: {cap: 1.5}\n"),
            "5 imbalance.cap: found 1.5 without weights, expected no cap, or method class_weights",
        ),
        (
            _text(table=", feature: f"),
            "4 table.feature: found a key of shape long, expected shape: long, or no such key",
        ),
        (
            _text(table=", value: v"),
            "4 table.value: found a key of shape long, expected shape: long, or no such key",
        ),
        (
            _text(table=", shape: long, feature: [log_id, user_id]"),
            '4 table.feature: found "user_id", which is the id or the label, expected another column',
        ),
        (
            _text(table=", shape: long, value: active"),
            '4 table.value: found "active", which is the id or the label, expected another column',
        ),
    ],
)
def test_a_contradiction_is_one_fault(tmp_path: Path, text: str, fault: str) -> None:
    assert problem_faults(tmp_path, text) == [f"problem.yaml:{fault}"]


@pytest.mark.parametrize("name", ["feature", "value", "level", "shap"])
def test_an_id_is_not_called_as_a_column_beside_it_in_the_attributions(tmp_path: Path, name: str) -> None:
    assert problem_faults(tmp_path, SMALLEST.replace("user_id", name)) == [
        (
            f'problem.yaml:4 table.id: found "{name}", expected another name: '
            "shap_values and predictions have a column of that name, so rename the id column"
        )
    ]


@pytest.mark.parametrize(
    ("drops", "results", "home"),
    [
        ("s3://b/x/", "s3://b/x/", "s3://b/x/return/"),
        ("s3://b/x/", "s3://b/x/y", "s3://b/x/y/return/"),
        ("s3://b/", "s3://b/results", "s3://b/results/return/"),
        ("s3://b/return/", "s3://b/", "s3://b/return/"),
        ("s3://b/return/runs/", "s3://b/", "s3://b/return/"),
    ],
)
def test_drops_and_results_do_not_eat_each_other(tmp_path: Path, drops: str, results: str, home: str) -> None:
    text = f"problem: return\ndrops: {drops}\nresults: {results}\ntable: {{id: i, label: l}}\n"
    assert problem_faults(tmp_path, text) == [
        (
            f"problem.yaml:3 results: found results under {home} and drops under {drops}, "
            "expected two prefixes, neither inside the other: each would eat the other"
        )
    ]


@pytest.mark.parametrize(
    ("drops", "results"),
    [("s3://b/return2/", "s3://b/"), ("s3://b/drops/", "s3://b/"), ("s3://b/x/", "s3://b/xy/"), ("s3://a/", "s3://b/")],
)
def test_prefixes_beside_each_other_are_fine(tmp_path: Path, drops: str, results: str) -> None:
    text = f"problem: return\ndrops: {drops}\nresults: {results}\ntable: {{id: i, label: l}}\n"
    assert (problem_of(tmp_path, text).drops, problem_of(tmp_path, text).results) == (drops, results)


def test_local_drops_and_results_are_compared_in_one_spelling(tmp_path: Path) -> None:
    text = f"problem: p\ndrops: data/../x\nresults: file://{tmp_path}/x/r\ntable: {{id: i, label: l}}\n"
    (fault,) = problem_faults(tmp_path, text)
    assert fault.startswith("problem.yaml:3 results: found results under x/r/p/".replace("x/", f"{tmp_path}/x/"))


def test_what_the_other_key_allows_is_no_contradiction(tmp_path: Path) -> None:
    text = _text(
        table=", group: g",
        lines="split: {by: group}\nthreshold: {policy: fixed, value: 0}\n"
        "imbalance: {method: class_weights, cap: 1.5}\n",
    )
    problem = problem_of(tmp_path, text)
    assert (problem.split.by, problem.threshold.value, problem.imbalance.cap) == ("group", 0.0, 1.5)


def test_contradictions_are_found_beside_other_faults(tmp_path: Path) -> None:
    text = "problem: Bad\ndrops: s3://b/x/\nresults: 3\ntable: {id: i, label: i, group: 3}\nsplit: {by: time}\n"
    assert [fault.split(": found")[0] for fault in problem_faults(tmp_path, text)] == [
        "problem.yaml:1 problem",
        "problem.yaml:3 results",
        "problem.yaml:4 table.group",
        "problem.yaml:4 table.id",
        "problem.yaml:5 split.by",
    ]


@pytest.mark.parametrize(
    "text",
    [
        _text(lines="split: {test: -1, valid: 0.95}\n"),
        _text(table=", group: 3", lines="split: {by: group}\n"),
        _text(table=", shape: longer, feature: f"),
        _text(table=", ignore: [3, active]"),
        SMALLEST.replace("s3://game-results/", "gs://game-features/return"),
        "problem: return\ndrops: s3://b/\nresults: s3://c/\ntable: 3\n",
    ],
)
def test_a_faulty_key_contradicts_nothing(tmp_path: Path, text: str) -> None:
    assert len(problem_faults(tmp_path, text)) == 1


@pytest.mark.parametrize(("space", "fault"), [
    ("learning_rate: {low: 0.01, high: 0.001}", "low <= high"),
    ("learning_rate: {low: 0, high: 0.1, log: true}", "above 0 where log is true"),
    ("learning_rate: [-1.0]", "greater than 0"),
    ("d_block: [0]", "greater than or equal to 1"),
    ("batch_size: [1]", "2"),
    ("d_block: [wide]", "a valid integer"),
    ("d_block: [8.5]", "a valid integer"),
    ("n_blocks: {low: 1.5, high: 1.7}", "a valid integer"),
    ("optimizer: {low: 1, high: 2}", "a list of their names"),
    ("optimizer: [adamx]", "'adamw', 'adam' or 'sgd'"),
    ("hidden_dropout: [2.0]", "less than 1"),
    ("code_penalty: [auto, 1.0]", "values to be tried"),
])  # fmt: skip
def test_what_is_searched_must_be_allowed(tmp_path: Path, space: str, fault: str) -> None:
    (found,) = problem_faults(tmp_path, _text(lines=f"tune: {{trials: 2, space: {{{space}}}}}\n"))
    assert found.startswith(f"problem.yaml:5 tune.space.{space.partition(':')[0]}: found ")
    assert fault in found


def test_what_may_be_searched_is_no_contradiction(tmp_path: Path) -> None:
    space = "{d_block: [64, 128], n_blocks: {low: 1, high: 3}, batch_size: {low: 32, high: 512, log: true}}"
    assert len(problem_of(tmp_path, _text(lines=f"tune: {{trials: 2, space: {space}}}\n")).tune.space) == 3


def test_a_positive_class_is_one_of_two(tmp_path: Path) -> None:
    (found,) = problem_faults(tmp_path, _text(table=", positive: churn", lines="task: multiclass\n"))
    assert "table.positive: found a positive class, with multiclass, expected none" in found
