"""Settings that are fine one by one and wrong together: one rule a function, all of them always asked."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from pydantic import ValidationError

from config.document import KeyPath
from config.locations import contains
from config.problem import Problem
from config.sections import NetSettings, RangeSettings, TableSettings

_OF_SHAP_VALUES = ("feature", "value", "level", "shap", "class", "label")  # beside the id in what a run leaves (README)
_OF_PREDICTIONS = "probability"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Keys that cannot stand together.

    Attributes:
        keys: all that take part; the first is where the fault is shown.
        found: what they say.
        expected: what would be right.
    """

    keys: tuple[KeyPath, ...]
    found: str
    expected: str


def contradictions(problem: Problem) -> list[Contradiction]:
    """Return everything in `problem` that contradicts itself."""
    return [each for rule in _RULES for each in rule(problem)]


def _no_rows_to_train(problem: Problem) -> Iterator[Contradiction]:
    share = sum(share for share in (problem.split.test, problem.split.valid) if share != "auto")
    if share >= 1:
        keys = (("split", "test"), ("split", "valid"))
        yield Contradiction(keys, f"test + valid = {share:g}", "less than 1: the rest of the rows trains")


def _label_has_another_part(problem: Problem) -> Iterator[Contradiction]:
    table = problem.table
    for part in ("id", "group", "time", "split"):
        if getattr(table, part) == table.label:
            keys = (("table", part), ("table", "label"))
            yield Contradiction(keys, f'the label "{table.label}"', "another column than the label")


def _listings(table: TableSettings) -> dict[str, Collection[str]]:
    names = ("ignore", "categorical", "sequences", "dates", "report_by")
    return {name: getattr(table, name) for name in names}


def _listed_twice(problem: Problem) -> Iterator[Contradiction]:
    for (one, names), (other, others) in combinations(_listings(problem.table).items(), 2):
        for name in sorted({*names} & {*others}):
            keys = (("table", other), ("table", one))
            yield Contradiction(keys, f'"{name}", which stands under {one} too', "it in one of the two")


def _sequences_of_a_long_table(problem: Problem) -> Iterator[Contradiction]:
    if problem.table.shape == "long" and problem.table.sequences:
        expected = "none: a long table has one value a line; let the SQL of prepare write a wide one"
        yield Contradiction((("table", "sequences"), ("table", "shape")), "sequences, with shape long", expected)


def _id_or_label_listed(problem: Problem) -> Iterator[Contradiction]:
    table = problem.table
    for part, name in (("id", table.id), ("label", table.label)):
        for listing, names in _listings(table).items():
            if name in names:
                keys = (("table", listing), ("table", part))
                yield Contradiction(keys, f'"{name}", which is the {part}', "columns other than id and label")


def _time_counted_up_to_itself(problem: Problem) -> Iterator[Contradiction]:
    if problem.table.time in problem.table.dates:
        keys = (("table", "dates"), ("table", "time"))
        yield Contradiction(
            keys, f'"{problem.table.time}", which is table.time', "other dates: they are counted up to it"
        )


def _split_by_nothing(problem: Problem) -> Iterator[Contradiction]:
    by = problem.split.by
    if (by == "group" and problem.table.group is None) or (by == "time" and problem.table.time is None):
        yield Contradiction((("split", "by"), ("table", by)), by, f"table.{by} to name a column, or by: row")


def _split_by_another(problem: Problem) -> Iterator[Contradiction]:
    for part in ("group", "time"):
        name, by = getattr(problem.table, part), problem.split.by
        counts_dates = part == "time" and problem.table.dates
        if name is not None and by != part and not counts_dates:
            expected = f"split.by: {part}, or no table.{part}"
            yield Contradiction((("table", part), ("split", "by")), f'"{name}" beside split.by: {by}', expected)


def _id_named_as_an_attribution(problem: Problem) -> Iterator[Contradiction]:
    name = problem.table.id
    if name in _OF_SHAP_VALUES or name.startswith(_OF_PREDICTIONS):
        expected = "another name: shap_values and predictions have a column of that name, so rename the id column"
        yield Contradiction((("table", "id"),), f'"{name}"', expected)


def _threshold_value(problem: Problem) -> Iterator[Contradiction]:
    policy, value = problem.threshold.policy, problem.threshold.value
    keys = (("threshold", "value"), ("threshold", "policy"))
    searched = policy in {"max_macro_f1", "max_macro_f1_accuracy"}
    if searched and value is not None:
        yield Contradiction(keys, f"{value:g} beside policy {policy}", "no value, or policy fixed or precision_at")
    if not searched and value is None:
        yield Contradiction(keys, f"nothing beside policy {policy}", "a number from 0 to 1")


def _cap_without_weights(problem: Problem) -> Iterator[Contradiction]:
    if problem.imbalance.cap is not None and problem.imbalance.method != "class_weights":
        keys = (("imbalance", "cap"), ("imbalance", "method"))
        yield Contradiction(keys, f"{problem.imbalance.cap:g} without weights", "no cap, or method class_weights")


def _long_keys_of_a_wide_table(problem: Problem) -> Iterator[Contradiction]:
    for key in _given_long_keys(problem.table) if problem.table.shape == "wide" else ():
        yield Contradiction((("table", key), ("table", "shape")), "a key of shape long", "shape: long, or no such key")


def _long_keys_taken_twice(problem: Problem) -> Iterator[Contradiction]:
    table = problem.table
    if table.shape == "long":
        for key, names in (("feature", table.feature), ("value", (table.value,))):
            for name in sorted({*names} & {table.id, table.label}):
                keys = (("table", key), ("table", "id"), ("table", "label"))
                yield Contradiction(keys, f'"{name}", which is the id or the label', "another column")


def _drops_and_results_overlap(problem: Problem) -> Iterator[Contradiction]:
    if contains(problem.drops, problem.home) or contains(problem.home, problem.drops):
        keys = (("results",), ("drops",), ("problem",))
        found = f"results under {problem.home} and drops under {problem.drops}"
        yield Contradiction(keys, found, "two prefixes, neither inside the other: each would eat the other")


def _trash_for_nothing(problem: Problem) -> Iterator[Contradiction]:
    if problem.keep_inputs and problem.retention_days:
        keys = (("retention_days",), ("keep_inputs",))
        yield Contradiction(keys, f"{problem.retention_days} beside keep_inputs: true", "one of the two")


def _given_long_keys(table: TableSettings) -> Iterable[str]:
    return (key for key in ("feature", "value") if key in table.model_fields_set)


def _threshold_without_two_classes(problem: Problem) -> Iterator[Contradiction]:
    if problem.task != "binary" and "threshold" in problem.model_fields_set:
        yield Contradiction((("threshold",), ("task",)), f"a threshold, with {problem.task}", "no threshold")


def _weights_without_classes(problem: Problem) -> Iterator[Contradiction]:
    if problem.task == "regression" and problem.imbalance.method != "none":
        keys = (("imbalance", "method"), ("task",))
        yield Contradiction(keys, f"{problem.imbalance.method}, with regression", "none: there are no classes")


def _transform_of_a_class(problem: Problem) -> Iterator[Contradiction]:
    if problem.task != "regression" and problem.target.transform != "none":
        keys = (("target", "transform"), ("task",))
        yield Contradiction(keys, f"{problem.target.transform}, with {problem.task}", "none: classes are no numbers")


def _positive_without_two_classes(problem: Problem) -> Iterator[Contradiction]:
    if problem.task != "binary" and problem.table.positive is not None:
        yield Contradiction((("table", "positive"), ("task",)), f"a positive class, with {problem.task}", "none")


def _auc_without_two_classes(problem: Problem) -> Iterator[Contradiction]:
    if problem.task != "binary" and problem.tune.metric == "auc":
        yield Contradiction((("tune", "metric"), ("task",)), f"auc, with {problem.task}", "auto or loss")


def _searched_wrongly(problem: Problem) -> Iterator[Contradiction]:
    for name, among in problem.tune.space.items():
        key, field = (("tune", "space", name),), NetSettings.model_fields[name]
        is_range = isinstance(among, RangeSettings)
        if is_range and name == "optimizer":
            yield Contradiction(key, "a range of optimizers", "a list of their names")
            continue
        if is_range and (among.low > among.high or (among.log and among.low <= 0)):
            yield Contradiction(key, f"{among.low:g} to {among.high:g}", "low <= high, and above 0 where log is true")
            continue
        for value in (among.low, among.high) if is_range else among:
            is_whole = is_range and isinstance(value, float) and value.is_integer()  # ends of a range are floats
            if value == "auto":
                yield Contradiction(key, "auto", "values to be tried")
                break
            try:
                NetSettings.model_validate({name: int(value) if is_whole else value})
            except ValidationError as error:
                found = f"{value!r}, though {name} is {field.description}"
                yield Contradiction(key, found, error.errors()[0]["msg"].removeprefix("Input should be "))
                break


def _factorised_wrongly(problem: Problem) -> Iterator[Contradiction]:
    columns, table = problem.net.factorise, problem.table
    keys = (("net", "factorise"), ("table",))
    not_learned_from = {table.id, table.label, table.group, table.time, table.split, *table.ignore, *table.report_by}
    if wrong := [name for name in columns if name in not_learned_from]:
        yield Contradiction(keys, ", ".join(wrong) + ", not learned from", "columns that are learned from")
    if len(columns) == 1:
        yield Contradiction(
            keys[:1], f"{columns[0]} alone", "at least two columns: values of one go with those of others"
        )
    if columns and problem.task == "multiclass":
        yield Contradiction((*keys[:1], ("task",)), "a factorisation, with multiclass", "task binary or regression")


def _ranked_wrongly(problem: Problem) -> Iterator[Contradiction]:
    rank = problem.rank
    if rank is None:
        return
    keys = (("rank",), ("table", "categorical"))
    names = (rank.by, *rank.items)
    if undeclared := [name for name in (rank.by, rank.items[0]) if name not in problem.table.categorical]:
        yield Contradiction(keys, ", ".join(undeclared) + ", no category", "columns of table.categorical")
    if len({*names}) < len(names):
        yield Contradiction((("rank", "items"), ("rank", "by")), ", ".join(names), "each column once")
    if problem.task == "multiclass":
        yield Contradiction((("rank",), ("task",)), "a ranking, with multiclass", "task binary or regression")


def _no_query(problem: Problem) -> Iterator[Contradiction]:
    if problem.prepare is not None and not problem.prepare.sql.strip():
        yield Contradiction((("prepare",),), "no SQL", "the name of a file of SQL that is not empty")


def _parameters_of_nothing(problem: Problem) -> Iterator[Contradiction]:
    if problem.parameters and problem.prepare is None:
        expected = "none of them, or the SQL that uses them under prepare"
        yield Contradiction((("parameters",), ("prepare",)), ", ".join(problem.parameters), expected)


_RULES: tuple[Callable[[Problem], Iterator[Contradiction]], ...] = (
    _no_rows_to_train,
    _label_has_another_part,
    _listed_twice,
    _sequences_of_a_long_table,
    _id_or_label_listed,
    _time_counted_up_to_itself,
    _split_by_nothing,
    _split_by_another,
    _id_named_as_an_attribution,
    _threshold_value,
    _cap_without_weights,
    _long_keys_of_a_wide_table,
    _long_keys_taken_twice,
    _drops_and_results_overlap,
    _trash_for_nothing,
    _threshold_without_two_classes,
    _weights_without_classes,
    _transform_of_a_class,
    _positive_without_two_classes,
    _auc_without_two_classes,
    _searched_wrongly,
    _factorised_wrongly,
    _ranked_wrongly,
    _no_query,
    _parameters_of_nothing,
)
