"""What a run leaves to analysts: features, shap_values, groups, interactions, positions, classes.

Their columns are a contract (README).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from jobs.data.design import Vocabulary
from jobs.data.pruning import CONSTANT, KEPT, RARE
from jobs.learn import Learned
from jobs.report.cells import as_cell
from storage.keys import FEATURES

WITHHELD = "withheld"  # the nets are worse than the linear models that they stand on: they are no witness

_DOMINANT_SHARE = 0.5  # of the gain of all columns

_FEATURE_COLUMNS = (
    "feature",
    "kind",
    "status",
    "rank",
    "mean_abs_shap",
    "shap_low",
    "shap_high",
    "share",
    "direction",
    "coverage",
    "mean",
    "deviation",
    "gain",
    "score_z",
    "q_value",
    "stability",
    "kept_for",
    "correlation",
    "flags",
)


def features_table(learned: Learned) -> pd.DataFrame:
    """One row for every column of the drop, kept or not: ranked ones first, then the others by name."""
    data, pruning = learned.data, learned.columns.pruning
    numeric = pd.DataFrame(
        {
            "feature": data.names,
            "kind": "numeric",
            "status": pruning.status.astype(object),
            "coverage": learned.columns.coverage,
            "mean": learned.columns.moments.mean,
            "deviation": learned.columns.moments.deviation,
            "kept_for": [data.names[int(k)] if k >= 0 else None for k in pruning.stands_for],
            "correlation": pruning.r,
        }
    )
    fates = {vocabulary.name: _fate(vocabulary) for vocabulary in learned.columns.vocabularies}
    categorical = pd.DataFrame(
        {
            "feature": [column.name for column in data.categorical],
            "kind": "categorical",
            "status": [fates[column.name] for column in data.categorical],
            "coverage": [float((column.codes >= 0).mean()) for column in data.categorical],
        }
    )
    sequences = pd.DataFrame(
        {
            "feature": [column.name for column in data.sequences],
            "kind": "sequence",
            "status": [KEPT if vocabulary.n_values > 1 else CONSTANT for vocabulary in learned.columns.items],
            "coverage": [float((np.diff(column.indptr) > 0).mean()) for column in data.sequences],
        }
    )
    dates = pd.DataFrame(
        {
            "feature": [column.name for column in data.dates],
            "kind": "date",
            "status": [CONSTANT if calendar.is_constant else KEPT for calendar in learned.columns.calendars],
            "coverage": [float((~np.isnat(column.moments)).mean()) for column in data.dates],
        }
    )
    parts = [numeric, *(part for part in (categorical, sequences, dates) if len(part))]
    table = pd.concat(parts, ignore_index=True)
    table = table.merge(_kept_columns(learned), on="feature", how="left")
    kept = table["status"] == KEPT
    verdict = np.where(table.loc[kept, "is_selected"].astype(bool), "selected", "not_selected")
    table.loc[kept, "status"] = WITHHELD if learned.is_withheld else verdict
    flagged = learned.columns.flags | {
        "precision_lost": data.coarse,
        "dominant": _dominant(learned),
        "redundant": _redundant(learned),
    }
    table["flags"] = [[flag for flag, names in flagged.items() if name in names] for name in table["feature"]]
    table["rank"] = table["rank"].astype("Int64")
    return table.sort_values(["rank", "feature"], na_position="last", ignore_index=True)[list(_FEATURE_COLUMNS)]


def _dominant(learned: Learned) -> frozenset[str]:
    """The column that alone brings most of what all columns bring: is it known when the prediction is made?"""
    gain = np.maximum(learned.selection.gain, 0)
    names = learned.columns.design.columns
    return frozenset(names[int(k)] for k in np.flatnonzero(gain > _DOMINANT_SHARE * gain.sum()) if len(names) > 1)


def _redundant(learned: Learned) -> frozenset[str]:
    """Selected columns that the others determine: of these and those, who acts is not in the data."""
    return frozenset(learned.columns.design.columns[int(k)] for k in np.flatnonzero(learned.selection.redundant))


def _fate(vocabulary: Vocabulary) -> str:
    if vocabulary.is_rare:
        return RARE
    return CONSTANT if vocabulary.is_constant else KEPT


def _kept_columns(learned: Learned) -> pd.DataFrame:
    """What is known of the kept columns alone."""
    selection, summary = learned.selection, learned.summary
    total = summary.mean_abs.sum()
    return pd.DataFrame(
        {
            "feature": learned.columns.design.columns,
            "is_selected": selection.selected,
            "rank": selection.rank,
            "mean_abs_shap": summary.mean_abs,
            "shap_low": np.maximum(summary.mean_abs - summary.half_width, 0),
            "shap_high": summary.mean_abs + summary.half_width,
            "share": summary.mean_abs / total if total > 0 else summary.mean_abs,
            "direction": summary.direction,
            "gain": selection.gain,
            "score_z": selection.score_z,
            "q_value": selection.q_value,
            "stability": selection.stability,
        }
    )


def shap_values_table(learned: Learned, id_name: str) -> pd.DataFrame:
    """Single attributions of explained rows: id, feature, value (of numeric columns), level (of others), shap.

    One line for every non-zero entry, and one line with a null feature for all zero entries of the row together: the
    sum over the lines of a row is f(x) - mean f(background). Where there are several classes, `class` says whose logit
    is explained.
    """
    data, entries, design = learned.data, learned.summary.entries, learned.columns.design
    names = np.array([*design.columns, None], dtype=object)  # column -1 is the last: no feature
    frame = pd.DataFrame({id_name: data.ids[entries.row], "feature": names[entries.column]})
    frame["value"] = _raw_values(learned)
    frame["level"] = _levels(learned)
    frame["shap"] = entries.phi
    if learned.task.n_outputs > 1:
        frame.insert(1, "class", np.array(data.classes, dtype=object)[entries.output])
    return frame


def _raw_values(learned: Learned) -> np.ndarray:
    """(n_entries,) what the drop holds for each numeric entry; nan for others."""
    entries, design, X = learned.summary.entries, learned.columns.design, learned.data.X
    of_drop = np.append(learned.columns.pruning.kept, -1)
    is_numeric = (entries.column >= 0) & (entries.column < design.n_numeric)
    raw = np.full(len(entries.row), np.nan)
    row, column = entries.row[is_numeric], of_drop[entries.column[is_numeric]]
    rows, place = np.unique(row, return_inverse=True)
    part = X[rows]
    keys = np.repeat(np.arange(len(rows)), np.diff(part.indptr)) * X.shape[1] + part.indices
    raw[is_numeric] = part.data[np.searchsorted(keys, place * X.shape[1] + column)]
    return raw


def _levels(learned: Learned) -> np.ndarray:
    data, entries, design = learned.data, learned.summary.entries, learned.columns.design
    levels = np.full(len(entries.row), None, dtype=object)
    by_name = {column.name: column for column in data.categorical}
    dates = {column.name: column for column in data.dates}
    for position, name in enumerate(design.columns[design.n_numeric :], start=design.n_numeric):
        own, column = entries.column == position, by_name.get(name)
        if name in dates:
            at = dates[name].moments[entries.row[own]]
            levels[own] = [None if np.isnat(one) else np.datetime_as_string(one, unit="s") for one in at]
        if column is None:  # a sequence has several
            continue
        texts = np.array([*column.levels, None], dtype=object)  # code -1 (null) reads the last
        levels[own] = texts[column.codes[entries.row[own]]]
    return levels


def groups_table(features: pd.DataFrame) -> pd.DataFrame:
    """One row for every kept column that stands for others: the group, its members, and what they carry together."""
    twins = features[features["kept_for"].notna()].groupby("kept_for")["feature"].agg(list)
    heads = features.set_index("feature").loc[twins.index]
    return pd.DataFrame(
        {
            "group": twins.index.to_numpy(),
            "members": [[head, *sorted(members)] for head, members in twins.items()],
            "n_members": twins.map(len).to_numpy() + 1,
            "status": heads["status"].to_numpy(),
            "mean_abs_shap": heads["mean_abs_shap"].to_numpy(),
            "gain": heads["gain"].to_numpy(),
        }
    ).sort_values("gain", ascending=False, ignore_index=True)


def interactions_table(learned: Learned) -> pd.DataFrame:
    """One row for every pair of columns that act together, the strongest first: feature, partner, z."""
    found, names = learned.selection.interactions, learned.columns.design.columns
    return pd.DataFrame(
        {
            "feature": [names[int(one)] for one, _ in found.pairs],
            "partner": [names[int(other)] for _, other in found.pairs],
            "z": found.z,
        }
    ).astype({"feature": "str", "partner": "str"})


def positions_table(learned: Learned) -> pd.DataFrame:
    """One row for every position of a column whose order is read: feature, position (0: the last item), rows, shap."""
    parts = [
        pd.DataFrame(
            {"feature": of.column, "position": range(len(of.rows)), "rows": of.rows, "mean_abs_shap": of.mean_abs}
        )
        for of in learned.positions
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"feature": []})


def classes_table(learned: Learned) -> pd.DataFrame:
    """One row for every class: test rows (support), those that are called so, precision, recall, F1."""
    table = learned.judgement.confusion
    if table is None:
        return pd.DataFrame({"class": []})
    hit, actual, called = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return pd.DataFrame(
        {
            "class": learned.data.classes,
            "support": actual,
            "called": called,
            "precision": _quotient(hit, called),
            "recall": _quotient(hit, actual),
            "f1": _quotient(2 * hit, actual + called),
        }
    )


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def write_tables(folder: Path, features: pd.DataFrame, learned: Learned, id_name: str) -> None:
    """Write features (parquet, csv), shap_values, groups, interactions, positions and classes (parquet)."""
    features.to_parquet(folder / FEATURES, index=False)
    texts = {"feature": features["feature"].map(as_cell), "flags": features["flags"].map(";".join)}
    features.assign(**texts).to_csv(folder / "features.csv", index=False)
    shap_values_table(learned, id_name).to_parquet(folder / "shap_values.parquet", index=False)
    groups_table(features).to_parquet(folder / "groups.parquet", index=False)
    interactions_table(learned).to_parquet(folder / "interactions.parquet", index=False)
    if learned.positions:
        positions_table(learned).to_parquet(folder / "positions.parquet", index=False)
    if learned.judgement.confusion is not None:
        classes_table(learned).to_parquet(folder / "classes.parquet", index=False)
