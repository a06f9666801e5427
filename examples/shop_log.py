"""A small event log of a shop with known truth, used by the generators of session_drop, next_state and gender."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

STATES = ("/home", "/search", "/product", "/cart", "/checkout", "/logout")
NEXT = np.array(  # what follows what, for a shopper without intent; the last state ends the session
    [
        [0.05, 0.45, 0.40, 0.05, 0.00, 0.05],
        [0.10, 0.25, 0.55, 0.05, 0.00, 0.05],
        [0.10, 0.25, 0.30, 0.25, 0.00, 0.10],
        [0.10, 0.10, 0.25, 0.15, 0.30, 0.10],
        [0.20, 0.05, 0.05, 0.10, 0.10, 0.50],
    ]
)


def arguments(description: str, asked: Sequence[str] | None = None) -> argparse.Namespace:
    """Read folder, --truth, --rows and --seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path, help="takes the tables")
    parser.add_argument("--truth", type=Path, required=True, help="takes what was planted, as JSON")
    parser.add_argument("--rows", type=int, default=6_000, help="sessions (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of everything random (%(default)s)")
    return parser.parse_args(asked)


def walk(
    random: np.random.Generator,
    n_sessions: int,
    *,
    ends: Callable[[np.random.Generator, int, list[int], int], bool],
    follows: Callable[[np.random.Generator, int, list[int]], int],
    longest: int = 14,
) -> pd.DataFrame:
    """Walk through the shop, one session after the other.

    Args:
        random: of everything.
        n_sessions: how many.
        ends: whether a session, its states so far and things in the cart given, breaks off now.
        follows: the next state, the session and its states so far given.
        longest: most events of a session.
    """
    rows = []
    begin = pd.Timestamp("2026-11-01") + pd.to_timedelta(random.integers(0, 28 * 86_400, n_sessions), unit="s")
    for session in range(n_sessions):
        states, searches, cart, at = [int(random.choice([0, 1, 2], p=[0.6, 0.2, 0.2]))], 0, 0, begin[session]
        for step in range(longest):
            here, following = states[-1], follows(random, session, states)
            searches += here == 1
            cart += int(here == 3 and random.random() < 0.8)
            rows.append((session, at, STATES[here], STATES[following], min(step, 6) + here % 2, searches, cart))
            states.append(following)
            at += pd.Timedelta(seconds=int(random.exponential(30)) + 1)
            if STATES[following] == "/logout":
                rows.append((session, at, "/logout", "/logout", step, searches, cart))
                break
            if ends(random, session, states, cart):
                break
    columns = [
        "session_id",
        "timestamp",
        "current_state",
        "next_state",
        "page_depth",
        "search_count",
        "cart_item_count",
    ]
    return pd.DataFrame(rows, columns=columns).assign(session_id=lambda table: "s" + table["session_id"].astype(str))


def plain_step(random: np.random.Generator, here: int) -> int:
    """Return what follows a state without intent."""
    return int(random.choice(len(STATES), p=NEXT[here]))
