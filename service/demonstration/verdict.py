"""Compares what was selected with what was planted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import pandas as pd

from service.demonstration.planted import Truth

PLANTED, TWIN, NOISE = "planted", "twin of a planted column", "noise"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good a selection is.

    Attributes:
        n_planted: columns that act on the label.
        planted: how many of them were selected, in person.
        twins: selected near duplicates of planted columns: no drop can tell the two apart.
        noise: selected columns that do nothing.
    """

    n_planted: int
    planted: int
    twins: int
    noise: int

    def __str__(self) -> str:
        """One sentence."""
        total = self.planted + self.twins + self.noise
        return (
            f"Of {total} selected columns {self.planted} are planted, {self.twins} twins of planted ones, "
            f"{self.noise} noise; {self.n_planted} columns were planted."
        )


def mark(truth: Truth, features: Iterable[str]) -> dict[str, str]:
    """Say of every column what it is."""
    planted = truth.planted
    return {
        name: PLANTED if name in planted else TWIN if truth.twins.get(name) in planted else NOISE for name in features
    }


def judge(truth: Truth, features: pd.DataFrame) -> Verdict:
    """Count what was selected by what it is."""
    selected = cast("list[str]", features.loc[features["status"] == "selected", "feature"].tolist())
    found = list(mark(truth, selected).values())
    return Verdict(len(truth.planted), found.count(PLANTED), found.count(TWIN), found.count(NOISE))
