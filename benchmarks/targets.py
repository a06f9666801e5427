"""What has to be reached, as functions of the measurements."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.explainers import ATTRIBUTION, THREADS, Way, stage_with
from benchmarks.measure import Measurement
from benchmarks.records import Measurements

GB = 1e9
ROWS_SUFFIX, COLUMNS_SUFFIX = " rows x 2", " columns x 2"


@dataclass(frozen=True, slots=True)
class Target:
    """One promise.

    Attributes:
        text: what was promised.
        wanted, reached: in words.
        is_met: whether it is kept.
    """

    text: str
    wanted: str
    reached: str
    is_met: bool


def targets(measured: Measurements, growth: str) -> list[Target]:
    """Judge every target whose measurements exist.

    Args:
        measured: all records.
        growth: the size from which growth was measured.
    """
    return [
        *_small(measured),
        *_medium(measured),
        *_large(measured),
        *_reading(measured),
        *_attribution(measured),
        *_growth(measured, growth),
    ]


def _at_least(text: str, reached: float, wanted: float) -> Target:
    return Target(text, f"at least {wanted:g} x", f"{reached:.1f} x", reached >= wanted)


def _at_most(text: str, reached: float, wanted: float, unit: str) -> Target:
    return Target(text, f"at most {wanted:.4g} {unit}", f"{reached:.3g} {unit}", reached <= wanted)


def _small(measured: Measurements) -> Iterator[Target]:
    own, origin, dense = (measured.median("S", name) for name in ("winnow", "origin", "dense"))
    if own and origin:
        for protocol, text, factor in (("origin", "as it ran", 15), ("winnow", "under our protocol", 30)):
            ratio = origin.seconds_under(protocol) / own.wall_seconds
            yield _at_least(f"S: faster than (a), the origin's recipe {text}", ratio, factor)
        yield _at_most("S: memory against (a)", own.peak_bytes / origin.peak_bytes, 1 / 8, "of it")
    if own and dense:
        ratio = dense.seconds_under("winnow") / own.wall_seconds
        yield _at_least("S: faster than (b), the best dense recipe, under our protocol", ratio, 2)
        yield _at_most("S: memory against (b)", own.peak_bytes / dense.peak_bytes, 1 / 3, "of it")


def _medium(measured: Measurements) -> Iterator[Target]:
    own, origin, single, folds = (measured.median("M", name) for name in ("winnow", "origin", "trees", "trees-folds"))
    if own:
        yield _at_most("M: peak memory", own.peak_bytes / GB, 1.5, "GB")
    if origin:
        text, wanted = "M: (a), the origin's recipe, cannot run", "killed for its memory"
        yield Target(text, wanted, how_it_ended(origin), origin.stopped_in is not None)
    if own and single:
        ratio = own.wall_seconds / single.seconds_under("single")
        yield _at_most("M: time against (c1), one LightGBM, 5,000 rows explained", ratio, 2, "x")
    if own and folds:
        ratio = folds.seconds_under("winnow") / own.wall_seconds
        yield _at_least("M: faster than (c2), LightGBM under our protocol", ratio, 5)


def _large(measured: Measurements) -> Iterator[Target]:
    own = measured.median("L", "winnow")
    if own:
        yield _at_most("L: time", own.wall_seconds / 60, 15, "minutes")
        yield _at_most("L: peak memory", own.peak_bytes / GB, 4, "GB")


def _reading(measured: Measurements) -> Iterator[Target]:
    for size in ("S", "M", "L"):
        runs = measured.median(size, "winnow"), measured.median(size, "limits")
        own, limit = (run.stage("read") if run else None for run in runs)
        if own and limit:
            share = 100 * limit.facts["limit_seconds"] / own.seconds
            text = f"{size}: reading, against pyarrow alone that decodes the same columns"
            yield Target(text, "at least 50 % of its rate", f"{share:.0f} %", share >= 50)


def _attribution(measured: Measurements) -> Iterator[Target]:
    run, name = measured.median(ATTRIBUTION, ATTRIBUTION), stage_with(max(THREADS))
    stage = run.stage(name) if run else None
    if stage:
        start, facts = f"attribution, {name}, 10,000 columns at 1 %", stage.facts
        text = f"{start}, zero background: time a row against DeepLift"
        yield _at_most(text, facts[Way.ZERO] / facts[Way.DEEPLIFT], 0.5, "of it")
        text = f"{start}, 64 background rows: time a row against TreeSHAP"
        yield _at_most(text, facts[Way.BACKGROUND] / facts[Way.TREESHAP], 1, "of it")


def _growth(measured: Measurements, size: str) -> Iterator[Target]:
    start = measured.median(size, "winnow")
    for suffix, limit in ((ROWS_SUFFIX, 2.2), (COLUMNS_SUFFIX, 1.3)):
        grown = measured.median(size + suffix, "winnow")
        if start and grown:
            text = f"growth: {size},{suffix}"
            yield _at_most(f"{text}: time", grown.wall_seconds / start.wall_seconds, limit, "x")
            change = 100 * (bytes_per_non_zero(grown) / bytes_per_non_zero(start) - 1)
            reached, is_met = f"{change:+.1f} %", abs(change) <= 10
            yield Target(f"{text}: peak memory per non-zero", "within 10 %", reached, is_met)


def bytes_per_non_zero(run: Measurement) -> float:
    """Peak memory above that of the bare start, by non-zero of the drop."""
    read = run.stage("read")
    return (run.peak_bytes - run.start_bytes) / read.facts["non_zeros"] if read else float("nan")


def how_it_ended(run: Measurement) -> str:
    """In words."""
    if run.stopped_in:
        return f"killed at {run.peak_bytes / GB:.1f} GB in stage `{run.stopped_in}`"
    return f"ended after {run.wall_seconds:,.0f} s" if run.exit_status == 0 else f"failed, status {run.exit_status}"
