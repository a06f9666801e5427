"""Writes a table of advertisement views in the form of a public click-through competition, with planted truth."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

GROUPS = {"l_feat": 27, "feat_e": 10, "feat_d": 6, "feat_c": 8, "feat_b": 6, "feat_a": 18}
N_ITEMS, POSITIVE_SHARE, BLOCK_ROWS = 500, 0.018, 20_000
PLANTED = {"l_feat_3": 0.5, "feat_a_7": -0.4, "feat_e_2": 0.4}
LONGEST = 500  # items of a sequence
LIKED, DISLIKED = 7, 11  # items


def main() -> None:
    """Write part-*.parquet and the truth."""
    parser = argparse.ArgumentParser(description="Write a table of advertisement views with planted truth.")
    parser.add_argument("folder", type=Path, help="takes the parts")
    parser.add_argument("--truth", type=Path, required=True, help="takes what was planted, as JSON")
    parser.add_argument("--rows", type=int, default=40_000, help="views (%(default)s)")
    parser.add_argument("--length", type=int, default=40, help="mean length of a sequence (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of everything random (%(default)s)")
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    for number, first in enumerate(range(0, given.rows, BLOCK_ROWS)):
        n = min(BLOCK_ROWS, given.rows - first)
        block(random, n, given.length).assign(ID=[f"TRAIN_{first + k:08d}" for k in range(n)]).to_parquet(
            given.folder / f"part-{number:05d}.parquet", index=False
        )
    planted = ["gender", "inventory_id", "seq", *PLANTED]
    given.truth.write_text(json.dumps({"planted": planted}, indent=1))


def block(random: np.random.Generator, n: int, length: int) -> pd.DataFrame:
    """Return some views."""
    columns: dict[str, object] = {
        "gender": random.choice(["1", "2", None], n, p=[0.45, 0.45, 0.1]),
        "age_group": random.integers(1, 9, n).astype(str),
        "inventory_id": np.minimum(random.zipf(1.6, n), 300).astype(str),
        "day_of_week": random.integers(1, 8, n).astype(str),
        "hour": random.integers(0, 24, n).astype(str),
    }
    for group, size in GROUPS.items():
        for k in range(1, size + 1):
            values = random.gamma(0.5, 1.0, n) * (random.random(n) < 0.2 + 0.7 * random.random())
            columns[f"{group}_{k}"] = values.astype(np.float32)
    for k in range(119 - 2 - len(columns)):
        columns[f"history_{k + 1}"] = random.poisson(0.3, n).astype(np.float32)
    lengths = np.minimum(random.geometric(1 / length, n), LONGEST)  # many are short, some very long
    items = np.minimum(random.zipf(1.3, lengths.sum()), N_ITEMS)
    ends = np.cumsum(lengths)
    texts = items.astype(str)
    columns["seq"] = [",".join(texts[a:b]) for a, b in zip(ends - lengths, ends, strict=True)]
    owner = np.repeat(np.arange(n), lengths)
    shares = [np.bincount(owner[items == item], minlength=n) / lengths for item in (LIKED, DISLIKED)]
    logit = 0.5 * _standard(shares[0]) - 0.5 * _standard(shares[1])
    logit += sum(weight * _standard(np.log1p(np.asarray(columns[name]))) for name, weight in PLANTED.items())
    logit += 0.5 * (columns["gender"] == "2") + 0.6 * np.isin(columns["inventory_id"], ["2", "5"])
    base = np.log(POSITIVE_SHARE / (1 - POSITIVE_SHARE)) - 0.9
    columns["clicked"] = (random.random(n) < 1 / (1 + np.exp(-(logit + base)))).astype(np.int8)
    return pd.DataFrame(columns)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), 1e-12)


if __name__ == "__main__":
    main()
