"""Which columns of a dataset are trained on: scaled, screened, pruned, encoded, put side by side.

All of it is fitted on training rows, and nothing here looks at what a model says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from config import Problem
from jobs.data.correlation import CorrelatedPairs, correlated_pairs
from jobs.data.dataset import Dataset, Design
from jobs.data.dates import Calendar, dated_after, days_of, encode_dates, fit_calendar
from jobs.data.design import Block, Vocabulary, design_of, encode, fit_vocabulary, take_columns
from jobs.data.items import Ordered, fit_items, order_items, share_items
from jobs.data.kernels import column_counts
from jobs.data.knots import Knots, fit_bends, fit_knots, no_knots
from jobs.data.pruning import KEPT, Pruning, prune, screen_columns
from jobs.data.scaling import Scaler, fit_scaler, scale
from jobs.data.screens import (
    Moments,
    drifting_columns,
    exposure_columns,
    is_leak,
    leak_suspects,
    moments_of,
    rows_seen_before,
    tells,
)
from jobs.data.split import FEW_ROWS, Split
from jobs.errors import NoUsableColumn


@dataclass(frozen=True, slots=True)
class Columns:
    """What became of every column before training.

    Attributes:
        scaler: of all numeric columns.
        pruning: the verdict on all numeric columns.
        vocabularies: of all categorical columns, constant ones too.
        items: vocabularies of all columns of sequences, constant ones too.
        calendars: of all columns of dates, constant ones too.
        knots: of the kept numeric columns.
        design: the kept columns, as the nets read them.
        plain: the kept columns without knots, as everyone else reads them.
        bends: a few knots of the kept numbers that most rows have: along these they are tested.
        ordered: the items of the columns of sequences whose order is read.
        entries: (n_numeric,) rows that are not zero, of all rows.
        moments: of all numeric columns over all rows, after log(1 + x) if that is taken; nan: constant or rare.
        flags: flag -> names of the columns that have it, pruned ones too.
        duplicates: test rows that equal a training row in every kept column.
    """

    scaler: Scaler
    pruning: Pruning
    vocabularies: tuple[Vocabulary, ...]
    items: tuple[Vocabulary, ...]
    calendars: tuple[Calendar, ...]
    knots: Knots
    design: Design
    plain: Design
    bends: Knots
    ordered: tuple[Ordered, ...]
    entries: NDArray[np.int64]
    moments: Moments
    flags: dict[str, frozenset[str]]
    duplicates: int

    @property
    def coverage(self) -> NDArray[np.float64]:
        """(n_numeric,) share of all rows that are not zero."""
        return self.entries / self.moments.n_rows

    @property
    def is_curved(self) -> bool:
        """Whether any column has knots."""
        return self.design is not self.plain

    def without_curves(self) -> "Columns":
        """The same columns, every number its value alone."""
        calendars = tuple(replace(calendar, knots=()) for calendar in self.calendars)
        return replace(self, design=self.plain, knots=no_knots(len(self.pruning.kept)), calendars=calendars)


def prune_columns(data: Dataset, split: Split, problem: Problem, on_columns: Callable[[int], object]) -> Columns:
    """Scale all columns, and keep those that are neither constant, rare, nor a twin of a kept one.

    Everything is fitted on the training rows. `on_columns` is called with each number of judged columns, and may raise.

    Raises:
        NoUsableColumn: no column is left.
    """
    scaler, labels = fit_scaler(data.X, split.train, log1p=problem.scale.log1p), _labels(data, split)
    pruning, screened, numeric = _prune_numeric(data, labels, scaler, split, problem, on_columns)
    names = [data.names[int(k)] for k in pruning.kept]
    vocabularies = tuple(fit_vocabulary(column, split.train, problem.prune.min_rows) for column in data.categorical)
    encoded = _encoded(data, vocabularies)
    items, shares, ordered = _sequences(data, split, problem)
    knots = fit_knots(numeric, split.train, scaler.count[pruning.kept], problem.net.knots)
    calendars = tuple(fit_calendar(column, data.until, split.train, problem.net.knots) for column in data.dates)
    dates = [
        Block(column.name, encode_dates(column, data.until, calendar), len(calendar.knots))
        for column, calendar in zip(data.dates, calendars, strict=True)
        if not calendar.is_constant
    ]
    design = plain = design_of(numeric, names, encoded, [*shares, *(block.plain for block in dates)])
    if len(knots.at) or any(block.n_knots for block in dates):
        design = design_of(numeric, names, encoded, [*shares, *dates], knots)
    if not design.columns:
        raise NoUsableColumn(
            f"none of {len(data.names)} numeric and {len(data.categorical)} categorical columns is left, nor any of "
            f"{len(data.sequences)} of sequences and {len(data.dates)} of dates: all are "
            f"constant or non-zero on fewer than {problem.prune.min_rows} training rows. "
            "Lower prune.min_rows, or check the drop"
        )
    entries = column_counts(data.X.indices, len(data.names))
    late = frozenset(column.name for column in data.dates if dated_after(column, data.until, split.train))
    leaks = frozenset(_leaks_of_others(data, labels, split, encoded, calendars))
    flags = screened.flags | {"leak_suspect": screened.flags["leak_suspect"] | leaks, "late": late}
    duplicates = rows_seen_before(plain.Z, split.train, split.test)
    return Columns(
        scaler,
        pruning,
        vocabularies,
        items,
        calendars,
        knots,
        design,
        plain,
        fit_bends(numeric, split.train, scaler.count[pruning.kept]),
        ordered,
        entries,
        screened.moments,
        flags,
        duplicates,
    )


def _sequences(
    data: Dataset, split: Split, problem: Problem
) -> tuple[tuple[Vocabulary, ...], list[Block], tuple[Ordered, ...]]:
    """Vocabularies of all columns of sequences; of those that are not constant the codes, and the items in order."""
    declared = problem.table.sequences
    items = tuple(
        fit_items(each, split.train, declared[each.name].min_count, declared[each.name].max_len)
        for each in data.sequences
    )
    kept = [(column, own) for column, own in zip(data.sequences, items, strict=True) if own.n_values > 1]
    shares = [Block(column.name, share_items(column, own, declared[column.name].max_len)) for column, own in kept]
    ordered = tuple(
        order_items(column, own, declared[column.name].max_len)
        for column, own in kept
        if declared[column.name].encoder != "mean"
    )
    return items, shares, ordered


def _labels(data: Dataset, split: Split) -> list[NDArray[np.float32]]:
    """The label, or each of its classes against the others; a class on too few rows is told by many columns."""
    if not data.classes:
        return [(data.label - data.label[split.train].mean()).astype(np.float32)]
    if len(data.classes) == 2:
        return [data.y]
    each = [(data.y == k).astype(np.float32) for k in range(len(data.classes))]
    return [label for label in each if label[split.train].sum() >= FEW_ROWS]


def _leaks_of_others(
    data: Dataset,
    labels: list[NDArray[np.float32]],
    split: Split,
    encoded: list[tuple[Vocabulary, NDArray[np.int32]]],
    calendars: tuple[Calendar, ...],
) -> Iterator[str]:
    """Categories and dates that alone tell the label, or one of its classes."""
    for label in labels:
        yield from (vocabulary.name for vocabulary, codes in encoded if is_leak(codes, label, split.train))
    for column, calendar in zip(data.dates, calendars, strict=True):
        place = np.nan_to_num(calendar.scaled(days_of(column, data.until)), nan=-1.0)  # none: it never happened
        if any(tells(place[split.train], label[split.train]) for label in labels):
            yield column.name


@dataclass(frozen=True, slots=True)
class _Screened:
    """What is known of all numeric columns before any is pruned: a twin that goes keeps its flags."""

    moments: Moments
    flags: dict[str, frozenset[str]]


def _prune_numeric(
    data: Dataset,
    labels: list[NDArray[np.float32]],
    scaler: Scaler,
    split: Split,
    problem: Problem,
    on_columns: Callable[[int], object],
) -> tuple[Pruning, _Screened, csr_array]:
    """The verdict on all numeric columns, what the screens say of them, and the kept ones, scaled."""
    status = screen_columns(scaler, len(split.train), problem.prune.min_rows)
    candidates = np.flatnonzero(status == KEPT)
    on_columns(len(status) - len(candidates))
    scaled = scale(take_columns(data.X, candidates), scaler.of(candidates))
    found = correlated_pairs(scaled, split.train, problem.prune.correlation, on_columns=on_columns)
    pairs = CorrelatedPairs(candidates[found.left], candidates[found.right], found.r)
    pruning = prune(status, scaler.count, pairs)
    screened = _screen(data, labels, scaled, scaler, split, candidates)
    return pruning, screened, take_columns(scaled, np.flatnonzero(pruning.status[candidates] == KEPT))


def _screen(
    data: Dataset,
    labels: list[NDArray[np.float32]],
    scaled: csr_array,
    scaler: Scaler,
    split: Split,
    candidates: NDArray[np.int64],
) -> _Screened:
    def named(places: NDArray[np.int64]) -> frozenset[str]:
        return frozenset(data.names[int(candidates[k])] for k in places)

    leaks = [leak_suspects(scaled, label, split.train) for label in labels]
    flags = {
        "leak_suspect": frozenset[str]().union(*map(named, leaks)),
        "drift": named(drifting_columns(scaled, split.train, split.test)),
        "exposure": named(exposure_columns(scaled, split.train)),
    }
    return _Screened(_unscaled(moments_of(scaled, np.arange(data.n_rows)), scaler, candidates), flags)


def _unscaled(moments: Moments, scaler: Scaler, candidates: NDArray[np.int64]) -> Moments:
    """The moments of all columns before they were multiplied and shifted, from those of the scaled candidates."""
    mean, deviation = np.full((2, len(scaler.count)), np.nan)
    factor = scaler.factor[candidates]
    mean[candidates] = moments.mean / factor + scaler.shift[candidates]
    deviation[candidates] = moments.deviation / factor
    return Moments(moments.n_rows, mean, deviation)


def _encoded(data: Dataset, vocabularies: tuple[Vocabulary, ...]) -> list[tuple[Vocabulary, NDArray[np.int32]]]:
    """Vocabulary and (n_rows,) codes of every categorical column that is not constant."""
    return [
        (vocabulary, encode(column, vocabulary))
        for column, vocabulary in zip(data.categorical, vocabularies, strict=True)
        if not vocabulary.is_constant
    ]
