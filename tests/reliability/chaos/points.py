"""Where a process is killed: around each kind of change that a run makes to its stores, 15 kinds in 3 ways.

before  the change was about to be made
lost    the change was made, and nobody heard that it was; in a folder: the file is written and has no name yet
after   the change was made, and its maker knew
"""

import re
from dataclasses import dataclass
from itertools import product

WAYS = ("before", "lost", "after")
N_PARTS = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change.

    Attributes:
        name: for people.
        verb: "put", "delete", or either.
        key: what its key looks like, with the name of the bucket or folder in front.
        body: what is in its body.
        occurrence: which one of them, from 1.
    """

    name: str
    verb: str
    key: str
    body: bytes = b""
    occurrence: int = 1

    def fits(self, verb: str, key: str, body: bytes) -> bool:
        """Tell whether a change is of this kind."""
        return (
            re.fullmatch(self.verb, verb) is not None and re.fullmatch(self.key, key) is not None and self.body in body
        )


KINDS = (
    Kind("probe write", "put", r"results/\.probe/.*"),
    Kind("probe delete", "delete", r"results/\.probe/.*"),
    Kind("claim", "put", r"results/return/claims/.*"),
    Kind("claim renewal", "put", r"results/return/claims/.*", b'"beat": 1, "state": "held"'),
    Kind("claim release", "put", r"results/return/claims/.*", b'"released"'),
    Kind("first output", "put", r"results/return/runs/.*/attempt-.*"),
    Kind("later output", "put", r"results/return/runs/.*/attempt-.*", occurrence=8),
    Kind("COMMIT", "put", r"results/return/runs/.*/COMMIT\.json"),
    Kind("ledger", "put", r"results/return/ledger/.*"),
    Kind("latest.json", "put", r"results/return/latest\.json"),
    Kind("first part", "delete", r"drops/dt=0/part-.*"),
    Kind("last part", "delete", r"drops/dt=0/part-.*", occurrence=N_PARTS),
    Kind("remains", "put|delete", r"(drops/dt=0/_SUCCESS|results/return/done/.*)"),
    Kind("tombstone", "put", r"results/return/done/.*"),
    Kind("FINISHED", "put", r"results/return/runs/.*/FINISHED\.json"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """One kill.

    Attributes:
        kind: at which change.
        way: before, lost or after.
        replicas: how many processes are at work.
        store: on which kind of store.
    """

    kind: Kind
    way: str
    replicas: int
    store: str

    def __str__(self) -> str:
        """Return it as people say it."""
        return f"{self.store}, {self.replicas} replicas, {self.way} {self.kind.name}"


STORES = ("folder", "moto", "ministack", "ceph")


def all_points() -> list[Point]:
    """Return every point, those of one store together."""
    return [Point(kind, way, n, store) for store, kind, way, n in product(STORES, KINDS, WAYS, (1, 2, 3))]
