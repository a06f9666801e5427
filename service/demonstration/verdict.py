"""Compares what was selected with what was planted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import pandas as pd

PLANTED, TWIN, RELATED, NOISE = "planted", "twin of a planted column", "related", "noise"


class Truth(Protocol):
    """What is known of a drop that was made."""

    @property
    def planted(self) -> frozenset[str]:
        """Every column that acts on the label."""
        ...

    @property
    def twins(self) -> Mapping[str, str]:
        """A near duplicate by its original."""
        ...

    @property
    def noise(self) -> frozenset[str] | None:
        """Columns that have nothing to do with the label; None: all that are not planted."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good a selection is.

    Attributes:
        n_planted: columns that act on the label.
        planted: how many of them were selected, in person.
        twins: selected near duplicates of planted columns: no drop can tell the two apart.
        related: selected columns that follow from planted ones, or they from them.
        noise: selected columns that do nothing.
    """

    n_planted: int
    planted: int
    twins: int
    related: int
    noise: int

    def __str__(self) -> str:
        """One sentence."""
        total = self.planted + self.twins + self.related + self.noise
        related = f"{self.related} related to these, " if self.related else ""
        return (
            f"Of {total} selected columns {self.planted} are planted, {self.twins} twins of planted ones, "
            f"{related}{self.noise} noise; {self.n_planted} columns were planted."
        )


def mark(truth: Truth, features: Iterable[str]) -> dict[str, str]:
    """Say of every column what it is."""
    return {name: _kind(truth, name) for name in features}


def _kind(truth: Truth, name: str) -> str:
    if name in truth.planted:
        return PLANTED
    if truth.twins.get(name) in truth.planted:
        return TWIN
    return NOISE if truth.noise is None or name in truth.noise else RELATED


def judge(truth: Truth, features: pd.DataFrame) -> Verdict:
    """Count what was selected by what it is."""
    selected = cast("list[str]", features.loc[features["status"] == "selected", "feature"].tolist())
    found = list(mark(truth, selected).values())
    return Verdict(len(truth.planted), *(found.count(kind) for kind in (PLANTED, TWIN, RELATED, NOISE)))
