"""Lets a peer say what it does, in the words of `winnow run`: one JSON line when a stage begins, one when it ends.

Where a peer would need hours it does a part of the work, and says which part:

    with stage("train", winnow=1 / 43):   # one epoch of 8.6 epochs x 5 nets
        ...

The printed seconds are the measured ones; benchmarks.measure divides them by the share and marks what it divided.
"""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter


@contextmanager
def stage(name: str, **shares: float) -> Generator[dict[str, object]]:
    """Time one stage and print it; what is put into the yielded record is printed with it.

    Args:
        name: of the stage.
        shares: protocol -> part of that protocol's work that is done here; 1 where it is not named.
    """
    _say({"event": "stage_started", "stage": name})
    facts: dict[str, object] = {}
    begun = perf_counter()
    yield facts
    seconds = round(perf_counter() - begun, 4)
    whole = {protocol: round(seconds / share, 3) for protocol, share in shares.items()}
    line = {"event": "stage_finished", "stage": name, "seconds": seconds, "shares": shares}
    _say(line | {"extrapolated_seconds": whole} | facts)


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
