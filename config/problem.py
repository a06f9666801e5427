"""The problem file: the declaration of one prediction task."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.locations import normal_location
from config.sections import (
    CompleteSettings,
    ExplainSettings,
    ImbalanceSettings,
    NetSettings,
    Parameter,
    PrepareSettings,
    PruneSettings,
    RankSettings,
    ScaleSettings,
    Section,
    SelectSettings,
    SplitSettings,
    TableSettings,
    TargetSettings,
    ThresholdSettings,
    TuneSettings,
)

# Where a drop comes from, where its results go and who hears of it does not change what the results say.
_WITHOUT_EFFECT = frozenset({"drops", "results", "complete", "keep_inputs", "retention_days", "notify"})

Location = Annotated[str, AfterValidator(normal_location)]


class Problem(Section):
    """One problem, valid in itself; contradictions between keys are the affair of config/contradictions.py."""

    problem: str = Field(pattern="^[a-z0-9_-]+$", max_length=64, description="the name, also part of object keys")
    drops: Location = Field(description="the watched prefix; ends in / once read")
    results: Location = Field(description="the prefix of all results; ends in / once read")
    complete: CompleteSettings = Field(default=CompleteSettings(), description="when a drop counts as finished")
    table: TableSettings = Field(description="what the columns are")
    task: Literal["binary", "multiclass", "regression"] = Field(
        default="binary", description="what the label is: two classes, several, or a number"
    )
    target: TargetSettings = Field(default=TargetSettings(), description="what is made of a label that is a number")
    prepare: PrepareSettings | None = Field(
        default=None, description="the file of DuckDB SQL that makes the table from the raw tables of a drop"
    )
    parameters: dict[Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")], Parameter] = Field(
        default={}, description="values of $name in the SQL: texts, numbers, lists of them"
    )
    scale: ScaleSettings = Field(default=ScaleSettings(), description="how numeric columns are scaled")
    prune: PruneSettings = Field(default=PruneSettings(), description="which columns are dropped before training")
    split: SplitSettings = Field(default=SplitSettings(), description="which rows train, stop and judge")
    imbalance: ImbalanceSettings = Field(default=ImbalanceSettings(), description="what is done about rare classes")
    net: NetSettings = Field(default=NetSettings(), description="the net and its training")
    tune: TuneSettings = Field(default=TuneSettings(), description="the search for a learning rate and an optimizer")
    threshold: ThresholdSettings = Field(default=ThresholdSettings(), description="where a probability becomes a yes")
    rank: RankSettings | None = Field(default=None, description="items that are ranked; null: none are")
    explain: ExplainSettings = Field(default=ExplainSettings(), description="how many attributions, how exactly")
    select: SelectSettings = Field(default=SelectSettings(), description="which columns are called signal")
    keep_inputs: bool = Field(default=False, description="true: consumed inputs are not deleted")
    retention_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="consumed inputs lie so many days in the trash of the results; 0: no trash",
    )
    notify: Annotated[tuple[()], Field(strict=False)] = Field(default=(), description="who is told about a run")

    @property
    def home(self) -> str:
        """The prefix under which everything of this problem is written."""
        return f"{self.results}{self.problem}/"

    @property
    def holds_tables(self) -> bool:
        """Whether a drop of this problem holds raw tables, of which SQL makes the one to learn from."""
        return self.prepare is not None

    def canonical_json(self) -> str:
        """Return what of this problem affects a result, defaults filled in, as one spelling: hashed into run ids."""
        relevant = self.model_dump(mode="json", exclude=set(_WITHOUT_EFFECT))
        return json.dumps(relevant, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
