"""The sections of a problem file, one frozen record each: keys, bounds, defaults and what they mean.

Only what is built is allowed here; what the design names beyond that is explained by config/availability.py.
The descriptions are shown in faults and in the reference of the problem file.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """What all sections have in common: no unknown key, no silent conversion, no change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def one_as_tuple(value: object) -> object:
    """Let one text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


def _as_set(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


ColumnName = Annotated[str, Field(min_length=1)]
ColumnList = Annotated[tuple[ColumnName, ...], Field(strict=False)]
ColumnSet = Annotated[ColumnList, AfterValidator(_as_set)]  # sorted: the order in the file must not change a run


class CompleteSettings(Section):
    """When a drop counts as finished."""

    rule: Literal["marker", "manifest", "quiet_period"] = Field(
        default="marker",
        description="what declares a drop finished: a _SUCCESS object; a _MANIFEST.json that names every part; "
        "or that nothing has changed in the folder for quiet_seconds",
    )
    settle_seconds: float = Field(
        default=60.0, ge=0, description="how far apart two equal listings must be before a drop counts as settled"
    )
    quiet_seconds: float = Field(
        default=600.0, gt=0, description="rule quiet_period: how long nothing may have changed in the folder"
    )
    give_up_hours: float = Field(
        default=24.0, gt=0, description="a marked folder that stays unfinished and unchanged so long goes to quarantine"
    )
    expect_by: None = Field(default=None, description="the time of day by which a drop must have come")
    timezone: None = Field(default=None, description="the zone of expect_by")

    @property
    def unchanged_seconds(self) -> float:
        """How long a drop must look the same before it counts as settled."""
        return self.quiet_seconds if self.rule == "quiet_period" else self.settle_seconds


class SequenceSettings(Section):
    """One column that holds several items a row, the oldest first."""

    delimiter: str = Field(default=",", min_length=1, description="what stands between the items of a text")
    max_len: int = Field(default=500, ge=1, le=100_000, description="only the last so many items of a row count")
    min_count: int = Field(default=10, ge=1, description="items on fewer training rows share one code")
    encoder: Literal["mean", "lstm", "attention"] = Field(
        default="mean",
        description="mean: the mean of the items' codes; lstm, attention: their order too, at many times the cost",
    )
    d_item: int = Field(default=32, ge=1, le=1024, description="lstm, attention: width of an item's embedding")
    d_hidden: int = Field(
        default=64, ge=4, le=2048, multiple_of=4, description="lstm, attention: width of what is known after an item"
    )
    n_layers: int = Field(default=1, ge=1, le=8, description="lstm, attention: layers")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="lstm, attention: dropout of embedded items")


class TableSettings(Section):
    """What the columns of a drop are."""

    id: ColumnName = Field(description="the column that names a row")
    label: ColumnName = Field(description="the column to be predicted")
    positive: int | bool | str | None = Field(
        default=None,
        description="two classes: the value of the label whose probability is told; null: the later one in order",
    )
    shape: Literal["wide", "long"] = Field(
        default="wide", description="wide: one row per id; long: one row per id, feature and value"
    )
    feature: Annotated[ColumnList, BeforeValidator(one_as_tuple), Field(min_length=1)] = Field(
        default=("feature",), description='shape long: the column with the feature\'s name, or several, joined with "_"'
    )
    value: ColumnName = Field(default="value", description="shape long: the column with the feature's value")
    ignore: ColumnSet = Field(default=(), description="columns that are never read")
    categorical: ColumnSet = Field(default=(), description="columns whose values are categories")
    report_by: ColumnSet = Field(
        default=(),
        description="columns that are not learned from: metrics are told for each of their values",
    )
    sequences: dict[ColumnName, SequenceSettings] = Field(
        default={},
        description="columns that hold several items a row (lists, or text with a delimiter), each with its settings",
    )
    dates: ColumnSet = Field(
        default=(),
        description="columns of dates (dates, timestamps, or text in ISO 8601): when, or how long before table.time if "
        "that holds dates; weekday, month, hour",
    )
    numeric: Literal["rest"] = Field(default="rest", description="numeric columns: all that are named nowhere else")
    group: ColumnName | None = Field(default=None, description="the column whose rows stay on one side of the split")
    time: ColumnName | None = Field(default=None, description="the column that orders rows in time")
    split: ColumnName | None = Field(
        default=None, description="the column that says train, valid or test for every row"
    )


class PrepareSettings(Section):
    """The SQL that makes the table from the raw tables of a drop; a problem file may name its file alone."""

    file: str = Field(default="", exclude=True, description="the file of SQL, beside the problem file")
    sql: str = Field(default="", description="the SQL itself; read from the file")
    minutes: float = Field(default=60.0, gt=0, exclude=True, description="a query that takes longer is interrupted")


Scalar = bool | int | float | str
Parameter = Scalar | Annotated[tuple[Scalar, ...], Field(strict=False)]


class TargetSettings(Section):
    """What is made of the label of a regression before training; predictions and metrics are on its own scale."""

    transform: Literal["none", "log1p"] = Field(
        default="none", description="regression: log1p learns sign(y) log(1 + |y|), for skewed labels"
    )


class ScaleSettings(Section):
    """How numeric columns are scaled; fitted on training rows."""

    method: Literal["minmax"] = Field(default="minmax", description="divide by (max - min)")
    log1p: bool = Field(default=True, description="take log(1 + x) first: counts have heavy tails")


class PruneSettings(Section):
    """Which numeric columns are dropped before training."""

    correlation: float = Field(default=0.9, gt=0, le=1, description="columns at least this correlated are one column")
    min_rows: int = Field(default=10, ge=1, description="columns that are non-zero in fewer training rows are rare")


Share = Annotated[float, Field(gt=0, lt=1)] | Literal["auto"]
_AUTO_SHARES = "auto: a fifth of fewer than 2,000 rows, a hundredth of a million and more, else a tenth"


class SplitSettings(Section):
    """Which rows train, stop the training, and judge."""

    test: Share = Field(default=0.1, description=f"share of rows that judge; {_AUTO_SHARES}")
    valid: Share = Field(default=0.1, description="share of rows that stop the training; auto: the same")
    by: Literal["row", "group", "time"] = Field(default="row", description="what is kept on one side of the split")
    stratify: bool = Field(default=True, description="keep the share of every class on every side (by: row)")
    folds: int = Field(default=5, ge=2, le=50, description="nets that are cross-fitted")
    seed: int = Field(default=17, ge=0, lt=2**32, description="the seed of everything random in a run")


class ImbalanceSettings(Section):
    """What is done about rare classes, on training rows only."""

    method: Literal["none", "class_weights", "undersample", "oversample", "smote", "nearmiss", "tomek"] = Field(
        default="none",
        description="class_weights: weigh classes inversely; the others take away or add training rows "
        "(imbalanced-learn, the extra winnow[imbalance])",
    )
    cap: float | None = Field(
        default=None, gt=0, description="class_weights: the largest weight of a class; null: no cap"
    )


class NetSettings(Section):
    """The net and its training."""

    n_blocks: int = Field(default=2, ge=1, le=32, description="residual blocks")
    d_block: int = Field(default=128, ge=1, le=4096, description="width of the blocks and of a column's code")
    d_hidden_factor: int = Field(default=2, ge=1, le=16, description="hidden width of a block: this times d_block")
    hidden_dropout: float = Field(default=0.25, ge=0, lt=1, description="dropout inside a block")
    residual_dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout at the end of a block")
    knots: int = Field(
        default=16, ge=0, le=256, description="most points between which the code of a common number bends; 0: none"
    )
    epochs: int = Field(default=40, ge=1, le=10_000, description="most epochs")
    patience: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        default="auto",
        description="epochs without a better validation loss before training stops; auto: 16, large drops 4",
    )
    batch_size: Annotated[int, Field(ge=2)] | Literal["auto"] = Field(
        default="auto", description="rows of a minibatch; auto: 64 to 1024, by the number of rows"
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="step size of the optimizer")
    weight_decay: float = Field(default=1e-2, ge=0, le=1, description="decay of the weights")
    optimizer: Literal["adamw", "adam", "sgd"] = Field(default="adamw", description="the optimizer")
    code_penalty: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        default="auto", description="group lasso on the code of every column; auto: 3, where numbers have curves 1"
    )
    factorise: ColumnSet = Field(
        default=(),
        description="columns whose values go together, like user and item: a factorisation machine of them",
    )
    n_factors: int = Field(default=32, ge=1, le=1024, description="factors of each value of these columns")


class RankSettings(Section):
    """How well items are ranked for those who wanted them, judged on test rows beside what is popular."""

    by: ColumnName = Field(description="the categorical column that says for whom items are ranked")
    items: Annotated[ColumnList, BeforeValidator(one_as_tuple), Field(min_length=1)] = Field(
        description="the categorical column that names an item, then the columns that belong to the item, if any"
    )
    at: int = Field(default=10, ge=1, le=1000, description="how many items are shown")


class RangeSettings(Section):
    """Numbers that a trial may take."""

    low: float = Field(description="the least")
    high: float = Field(description="the greatest")
    log: bool = Field(default=False, description="true: every factor is as likely as any other")


TunedName = Literal[
    "learning_rate", "optimizer", "weight_decay", "batch_size", "code_penalty",
    "n_blocks", "d_block", "d_hidden_factor", "hidden_dropout", "residual_dropout", "n_factors",
]  # fmt: skip
Choices = Annotated[tuple[int | float | str, ...], Field(strict=False, min_length=1)]


class TuneSettings(Section):
    """The search for settings of the net; the best trial is trained again on all folds."""

    trials: int = Field(default=0, ge=0, description="trials; 0: no search")
    minutes: float = Field(
        default=10.0, gt=0, description="no new trial starts when the trials have taken so long, over all attempts"
    )
    metric: Literal["auto", "auc", "loss"] = Field(
        default="auto", description="judges trials on validation rows: auto is auc for two classes, else the loss"
    )
    space: dict[TunedName, Choices | RangeSettings] = Field(
        default={"learning_rate": RangeSettings(low=1e-4, high=1e-2, log=True), "optimizer": ("adamw", "adam", "sgd")},
        description="what is searched, by key of net: a list of values, or {low, high, log}",
    )


class ThresholdSettings(Section):
    """Where a probability becomes a yes; chosen on validation rows."""

    policy: Literal["max_macro_f1", "max_macro_f1_accuracy", "fixed", "precision_at"] = Field(
        default="max_macro_f1",
        description="max_macro_f1_accuracy: most of their mean; fixed: at `value`; "
        "precision_at: the lowest threshold with precision `value`",
    )
    value: float | None = Field(default=None, ge=0, le=1, description="the threshold, or the precision to reach")


class ExplainSettings(Section):
    """How many attributions are computed, and how exactly."""

    rows: int = Field(default=5000, ge=1, description="most rows that are explained")
    background: int = Field(
        default=64, ge=0, description="reference rows of an attribution; 0: the user who did nothing"
    )
    nodes: int = Field(default=4, ge=1, le=256, description="nodes of the Gauss-Legendre rule")


class SelectSettings(Section):
    """Which columns are called signal."""

    q: float = Field(default=0.1, gt=0, lt=1, description="the share of false discoveries that is accepted")
    with_worse_net: bool = Field(
        default=False,
        description="call columns selected although the nets are worse than a linear model, by more than chance",
    )
