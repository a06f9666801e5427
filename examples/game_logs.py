"""A small raw drop of a game: daily logs of things done, an account for every user, and one label, with known truth.

Used by the generators of payer, ad_response and lookalike. Two services write into one log; the label is made of what
users did in one of them, in the first twelve of fourteen days: later days, and the other service, are traps.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SERVICE, OTHER_SERVICE = "live", "test"
FIRST_DAY, N_DAYS, N_OBSERVED = date(2026, 11, 1), 14, 12
N_THINGS, N_PLANTED, N_IN_ACCOUNT = 240, 12, 3
ACCOUNT = ("play_seconds", "login_days", "max_level", "pay_amount", "friends", "guild_rank", "account_age_days")
PLANTED_ACCOUNT = {"play_seconds": 0.5, "login_days": 0.4, "pay_amount": 0.3}


def main(label: str, positive_share: float, arguments: Sequence[str] | None = None) -> None:
    """Write the tables and the truth.

    Args:
        label: name of the label column.
        positive_share: of the users.
        arguments: of the command line; its own if None.
    """
    parser = argparse.ArgumentParser(description=f"Write a raw drop with the label {label} and planted truth.")
    parser.add_argument("folder", type=Path, help="takes logs/, accounts/ and labels.csv")
    parser.add_argument("--truth", type=Path, required=True, help="takes what was planted, as JSON")
    parser.add_argument("--rows", type=int, default=20_000, help="users (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of everything random (%(default)s)")
    given = parser.parse_args(arguments)
    random = np.random.default_rng(given.seed)
    users = np.arange(given.rows) + 1_000_001
    accounts = _accounts(random, users)
    names, totals = _things(random, given.rows)
    planted = [int(k) for k in np.argsort(-(totals > 0).mean(axis=0))[: 4 * N_PLANTED : 4]]
    logit = sum(_effect(random) * _standard(np.log1p(totals[:, k])) for k in planted)
    logit += sum(weight * _standard(np.log1p(accounts[name])) for name, weight in PLANTED_ACCOUNT.items())
    came = _draw(random, logit, positive_share)
    _write_logs(random, given.folder, users, names, totals)
    (given.folder / "accounts").mkdir(parents=True, exist_ok=True)
    accounts.to_parquet(given.folder / "accounts/part-00000.parquet", index=False)
    pd.DataFrame({"user_id": users, label: came.astype(int)}).to_csv(given.folder / "labels.csv", index=False)
    truth = {"planted": [*(f"{log}_{feature}" for log, feature in (names[k] for k in planted)), *PLANTED_ACCOUNT]}
    given.truth.write_text(json.dumps(truth, indent=1))


def _accounts(random: np.random.Generator, users: np.ndarray) -> pd.DataFrame:
    n, eager = len(users), random.normal(size=len(users))
    return pd.DataFrame(
        {
            "user_id": users,
            "play_seconds": np.exp(8 + 0.9 * eager + 0.6 * random.normal(size=n)).astype(int),
            "login_days": random.binomial(N_OBSERVED, 1 / (1 + np.exp(-0.5 * eager))),
            "max_level": (1 + random.gamma(4.0, 6.0, n)).astype(int),
            "pay_amount": np.where(random.random(n) < 0.12, np.exp(random.normal(3, 1, n)), 0.0).round(2),
            "friends": random.poisson(6, n),
            "guild_rank": random.integers(0, 5, n),
            "account_age_days": random.integers(1, 1500, n),
        }
    )


def _things(random: np.random.Generator, n_users: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """(log_id, feature_id) of every thing, and (n_users, n_things) how often each user did it while observed."""
    names = [(1 + k // 20, int(random.integers(1, 9)) * 100 + k % 20) for k in range(N_THINGS)]
    density = np.exp(random.uniform(np.log(0.01), np.log(0.3), N_THINGS))
    happened = random.random((n_users, N_THINGS)) < density
    return names, happened * np.minimum(random.zipf(1.9, (n_users, N_THINGS)), 300)


def _write_logs(
    random: np.random.Generator, folder: Path, users: np.ndarray, names: list[tuple[int, int]], totals: np.ndarray
) -> None:
    """Spread the counts over the observed days; add days and a service that must not count."""
    user, thing = np.nonzero(totals)
    count = totals[user, thing]
    first = random.binomial(count, 0.5)  # a count falls on two days
    rows = [(user, thing, part, random.integers(0, N_OBSERVED, len(user)), SERVICE) for part in (first, count - first)]
    for service, days in ((OTHER_SERVICE, (0, N_DAYS)), (SERVICE, (N_OBSERVED, N_DAYS))):
        some = random.permutation(len(user))[: len(user) // 3]
        on_days = random.integers(*days, len(some))
        rows.append((random.permutation(user)[some], thing[some], count[some], on_days, service))
    frames = [
        pd.DataFrame(
            {
                "service": service,
                "date": [str(FIRST_DAY + timedelta(days=int(day))) for day in days],
                "user_id": users[who],
                "log_id": [names[k][0] for k in what],
                "feature_id": [names[k][1] for k in what],
                "count": how_often,
            }
        )[how_often > 0]
        for who, what, how_often, days, service in rows
    ]
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    logs = pd.concat(frames).sample(frac=1, random_state=1)
    for number, part in enumerate(np.array_split(np.arange(len(logs)), 4)):
        logs.iloc[part].to_parquet(folder / f"logs/part-{number:05d}.parquet", index=False)


def _effect(random: np.random.Generator) -> float:
    return float(random.uniform(0.25, 0.5) * random.choice([-1.0, 1.0]))


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - np.mean(values)) / max(float(np.std(values)), 1e-12)


def _draw(random: np.random.Generator, logit: np.ndarray, share: float) -> np.ndarray:
    """Draw labels with these logits, shifted so that `share` of them are positive."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        is_too_low = np.mean(1 / (1 + np.exp(-(logit + middle)))) < share
        low, high = (middle, high) if is_too_low else (low, middle)
    return random.random(len(logit)) < 1 / (1 + np.exp(-(logit + low)))
