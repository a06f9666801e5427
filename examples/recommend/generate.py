"""Writes the events of a shop: some users buy more, some products sell better, and each user looks for one category."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

N_USERS, N_PRODUCTS, N_CATEGORIES, N_BRANDS = 250, 120, 6, 15
LOOKS = 0.7  # share of events at products of the category that the user likes
TYPES = np.array(["view", "remove_from_cart", "cart", "purchase"])


def main() -> None:
    """Write events/ (two csv files) and the truth."""
    parser = argparse.ArgumentParser(description="Write the events of a shop with planted truth.")
    parser.add_argument("folder", type=Path, help="takes events/")
    parser.add_argument("--truth", type=Path, required=True, help="takes what was planted, as JSON")
    parser.add_argument("--rows", type=int, default=12_000, help="events (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of everything random (%(default)s)")
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    n = given.rows
    likes = random.integers(0, N_CATEGORIES, N_USERS)
    user = random.integers(0, N_USERS, n)
    product = np.minimum(random.zipf(1.3, n), N_PRODUCTS) - 1
    looks = random.random(n) < LOOKS  # then it is the nearest product of the category that the user likes
    product[looks] = product[looks] // N_CATEGORIES * N_CATEGORIES + likes[user[looks]]
    category = product % N_CATEGORIES
    of_user, of_product = random.normal(0, 0.7, N_USERS), random.normal(0, 0.7, N_PRODUCTS)
    wish = of_user[user] + of_product[product] + 1.2 * (likes[user] == category) + random.normal(0, 0.7, n)
    weight = np.clip(np.round(2 + wish), 1, 4).astype(int)
    seconds = np.sort(random.integers(0, 30 * 86_400, n))
    events = pd.DataFrame(
        {
            "event_time": pd.Timestamp("2026-10-01") + pd.to_timedelta(seconds, "s"),
            "event_type": TYPES[weight - 1],
            "product_id": 5000 + product,
            "category_id": 100 + category,
            "category_code": None,
            "brand": [f"brand{k}" for k in product % N_BRANDS],
            "user_id": 9000 + user,
        }
    )
    (given.folder / "events").mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(np.array_split(np.arange(n), 2)):
        events.iloc[rows].to_csv(given.folder / f"events/{number}.csv", index=False)
    given.truth.write_text(json.dumps({"planted": ["user_id", "product_id", "category_id"], "noise": []}, indent=1))


if __name__ == "__main__":
    main()
