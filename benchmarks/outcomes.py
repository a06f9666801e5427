"""What a run of Winnow found, and whether that is still what it found before: no second is saved by finding less."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.drops import KPI_WEIGHTS, TWIN_EVERY, Size, plan

_AUC_TOLERANCE = 0.002
_GAP_FACTOR = 1.5
_LEAST_OVERLAP = 0.9
_MOST_NOISE = 0.1  # of what is selected: as much as its q allows


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found.

    Attributes:
        auc: of the net, on test rows.
        gap: mean additivity gap, logits.
        selected: names of selected columns, sorted.
        noise: those of them that do nothing: neither planted nor the twin of a planted column.
    """

    auc: float
    gap: float
    selected: tuple[str, ...]
    noise: tuple[str, ...]


def outcome_of(results: Path, problem: str, size: Size) -> Outcome:
    """Read the newest run of a results folder, and compare it with what was planted in a drop of that size."""
    home = results / problem
    attempt = results / json.loads((home / "latest.json").read_text(encoding="utf-8"))["attempt"]
    metrics = json.loads((attempt / "metrics.json").read_text(encoding="utf-8"))
    features = pd.read_csv(attempt / "features.csv")
    selected = sorted(features.loc[features["status"] == "selected", "feature"])
    signal = signal_columns(size)
    return Outcome(
        auc=metrics["test"]["net"]["auc"]["value"],
        gap=metrics["additivity_gap"]["mean"],
        selected=tuple(selected),
        noise=tuple(name for name in selected if name not in signal),
    )


def signal_columns(size: Size) -> frozenset[str]:
    """Names of the planted columns and their twins."""
    acting = {j for j, weight in enumerate(plan(size).weights) if weight}
    twins = {
        j
        for j in range(TWIN_EVERY - 1, size.columns, TWIN_EVERY)  # each is the twin of the column before it
        if j - 1 in acting
    } | {j - 1 for j in acting if j % TWIN_EVERY == TWIN_EVERY - 1}
    kpi = {f"kpi_{k}" for k in range(len(KPI_WEIGHTS))}
    return frozenset({f"{j % 97}_{j}" for j in acting | twins} | kpi)


def write_reference(path: Path, outcome: Outcome) -> None:
    """Make this outcome the one that later runs are compared with."""
    path.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")


def violations(outcome: Mapping[str, Any], path: Path) -> list[str]:
    """Say what is worse than in the reference; nothing where there is none.

    Args:
        outcome: dataclasses.asdict of an Outcome.
        path: of the reference.
    """
    if not path.exists():
        return []
    before, now = _outcome_from(json.loads(path.read_text(encoding="utf-8"))), _outcome_from(outcome)
    overlap = len(set(before.selected) & set(now.selected)) / max(1, len(set(before.selected) | set(now.selected)))
    found = {
        f"AUC of the net {now.auc:.4f}, was {before.auc:.4f}": abs(now.auc - before.auc) > _AUC_TOLERANCE,
        f"additivity gap {now.gap:.5f}, was {before.gap:.5f}": now.gap > _GAP_FACTOR * before.gap,
        f"the selection shares {overlap:.2f} of its columns with the reference": overlap < _LEAST_OVERLAP,
        f"{len(now.noise)} of {len(now.selected)} selected columns are noise, {len(before.noise)} were": (
            len(now.noise) > max(_MOST_NOISE * len(now.selected), len(before.noise))
        ),
    }
    return [text for text, is_worse in found.items() if is_worse]


def _outcome_from(document: Mapping[str, Any]) -> Outcome:
    selected, noise = tuple(document["selected"]), tuple(document["noise"])
    return Outcome(document["auc"], document["gap"], selected, noise)
