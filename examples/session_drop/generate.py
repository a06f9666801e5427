"""Writes an event log in which searching early ends in a dropped session, and a filled cart in a logout."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shop_log import arguments, plain_step, walk


def main() -> None:
    """Write events/ and the truth."""
    given = arguments("Write an event log with planted truth for session_drop.")
    random = np.random.default_rng(given.seed)

    def ends(random: np.random.Generator, _session: int, states: list[int], cart: int) -> bool:
        early = states[:5]
        return bool(random.random() < 1 / (1 + np.exp(3.2 - 1.1 * early.count(1) + 1.6 * min(cart, 2))))

    events = walk(random, given.rows, ends=ends, follows=lambda random, _, states: plain_step(random, states[-1]))
    dirty = events.sample(frac=0.2, random_state=1).index
    events.loc[dirty, "current_state"] = events.loc[dirty, "current_state"].str.upper() + "/?page=2"
    lost = events.sample(frac=0.005, random_state=2).index
    events["timestamp"] = events["timestamp"].astype(str)
    events.loc[lost, "session_id"] = None
    (given.folder / "events").mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(np.array_split(np.arange(len(events)), 3)):
        events.iloc[part].to_parquet(given.folder / f"events/part-{number:05d}.parquet", index=False)
    planted = ["search_delta_sum", "search_to_cart_ratio", "cart_adds", "last5_has_search", "last5_has_cart"]
    noise = ["first_event_hour", "is_weekend", "gap_mean", "gap_sd", "gap_p95"]  # all others follow from the walk
    given.truth.write_text(json.dumps({"planted": planted, "noise": noise}, indent=1))


if __name__ == "__main__":
    main()
