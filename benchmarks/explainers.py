"""What benchmarks.attribution compares, in the names under which targets and results find it.

It makes a table of its own, so it has no drop, and is recorded under its own name where others have that of a drop.
"""

from enum import StrEnum

from benchmarks.drops import Size

ATTRIBUTION = "attribution"  # the contestant, and the name of its table
TABLE = Size(20_000, 10_000, 0.01)
BACKGROUND_ROWS, NODES = 64, 4  # Winnow's defaults
THREADS = (1, 2)


class Way(StrEnum):
    """A way to explain a row; the key of its milliseconds among the facts of a stage."""

    ZERO = "winnow_zero"
    DEEPLIFT = "deeplift"
    BACKGROUND = "winnow_background"
    TREESHAP = "treeshap"


TITLES = {
    Way.ZERO: f"Winnow: from zero, {NODES} nodes, CSR out",
    Way.DEEPLIFT: "captum DeepLift, zero baseline, dense rows",
    Way.BACKGROUND: f"Winnow: {BACKGROUND_ROWS} background rows x {NODES} nodes, dense out",
    Way.TREESHAP: "LightGBM's TreeSHAP",
}


def stage_with(threads: int) -> str:
    """The stage in which so many threads explain."""
    return "1 thread" if threads == 1 else f"{threads} threads"
