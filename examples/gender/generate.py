"""Writes an event log with two mapping tables; what people look at before they log in says who they are."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shop_log import arguments, plain_step, walk

CATEGORIES = ("Books", "Electronics", "Gaming", "Home", "Fashion")
OF_MEN, OF_WOMEN = (0.15, 0.25, 0.30, 0.18, 0.12), (0.2, 0.15, 0.10, 0.25, 0.30)


def main() -> None:
    """Write events/, products.csv, keywords.csv and the truth."""
    given = arguments("Write an event log with planted truth for gender.")
    random = np.random.default_rng(given.seed)
    events = walk(
        random,
        given.rows,
        ends=lambda random, _session, _states, _cart: bool(random.random() < 0.08),
        follows=lambda random, _session, states: plain_step(random, states[-1]),
    )
    events["timestamp"] = events["timestamp"].astype(str)
    sessions = events["session_id"].unique()
    is_male = dict(zip(sessions, random.random(len(sessions)) < 0.5, strict=True))
    place = events.groupby("session_id").cumcount().to_numpy()
    login = dict(zip(sessions, random.integers(3, 9, len(sessions)), strict=True))
    men = events["session_id"].map(is_male).to_numpy(bool)
    category = [random.choice(5, p=OF_MEN if man else OF_WOMEN) for man in men]
    items = pd.DataFrame({"product_id": np.arange(200), "category": [CATEGORIES[k % 5] for k in range(200)]})
    is_logged_in = place >= events["session_id"].map(login).to_numpy()
    events["user_id"] = np.where(
        is_logged_in, "u" + events["session_id"], random.choice(["", "0", "-1", "null"], len(events))
    )
    gender = np.where(men, random.choice(["M", "MALE"], len(events)), random.choice(["F", "FEMALE"], len(events)))
    events["gender"] = np.where(is_logged_in | (place == 0), gender, None)
    events["age"] = events["session_id"].map(dict(zip(sessions, random.integers(16, 75, len(sessions)), strict=True)))
    looks, searches = (
        events["current_state"].eq("/product").to_numpy(),
        events["current_state"].eq("/search").to_numpy(),
    )
    events["product_id"] = pd.array(np.where(looks, 5 * random.integers(0, 40, len(events)) + category, -1)).astype(
        "Int64"
    )
    events.loc[~looks, "product_id"] = pd.NA
    words = [f" {CATEGORIES[k].upper()} offers" for k in category]
    events["search_keyword"] = np.where(searches, words, None)
    (given.folder / "events").mkdir(parents=True, exist_ok=True)
    events.to_parquet(given.folder / "events/part-00000.parquet", index=False)
    items.to_csv(given.folder / "products.csv", index=False)
    keywords = pd.DataFrame({"keyword": [f"{name} Offers" for name in CATEGORIES], "category": CATEGORIES})
    keywords.to_csv(given.folder / "keywords.csv", index=False)
    planted = [f"{what}_{name}" for name in ("gaming", "fashion", "electronics") for what in ("n", "share", "log")]
    noise = [
        "start_hour",
        "start_weekday",
        "page_depth_mean",
        "last_elapsed_mean",
        "search_count_sum",
        "cart_item_count_sum",
    ]
    given.truth.write_text(json.dumps({"planted": planted, "noise": noise}, indent=1))


if __name__ == "__main__":
    main()
