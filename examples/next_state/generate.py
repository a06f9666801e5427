"""Writes an event log in which the next state follows from the last two, and from what is in the cart."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shop_log import STATES, arguments, plain_step, walk

SEARCH, PRODUCT, CART, CHECKOUT = (STATES.index(f"/{name}") for name in ("search", "product", "cart", "checkout"))


def main() -> None:
    """Write events/ and the truth."""
    given = arguments("Write an event log with planted truth for next_state.")
    random = np.random.default_rng(given.seed)

    def follows(random: np.random.Generator, _session: int, states: list[int]) -> int:
        if len(states) > 1 and states[-2:] == [SEARCH, PRODUCT] and random.random() < 0.8:
            return CART  # who came to a product by searching takes it
        if len(states) > 1 and states[-2:] == [PRODUCT, PRODUCT] and random.random() < 0.7:
            return SEARCH  # who only looks begins to search
        return plain_step(random, states[-1])

    events = walk(random, given.rows, ends=lambda *_: False, follows=follows)
    events["timestamp"] = events["timestamp"].astype(str)
    (given.folder / "events").mkdir(parents=True, exist_ok=True)
    events.to_parquet(given.folder / "events/part-00000.parquet", index=False)
    truth = {"planted": ["state", "prev1"], "noise": []}
    given.truth.write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
