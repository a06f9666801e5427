"""The model of a run: all that is needed to score new rows, and nothing that can run code.

It turns a table into the same codes that its nets were trained on: columns that the drop does not have are zeros, or
null; values that training never saw share the code of rare ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from config import Problem
from jobs.data.dataset import Categories, Dates, Design, Sequences
from jobs.data.dates import Calendar, encode_dates
from jobs.data.design import Block, Vocabulary, design_of, encode
from jobs.data.items import order_items, share_items
from jobs.data.kernels import rescale
from jobs.data.knots import Knots
from jobs.data.target import Target
from jobs.learn import Learned
from jobs.net.encoders import Encoder
from jobs.net.resnet import BodyShape
from jobs.net.tasks import Task
from jobs.net.training import Net
from jobs.selection.attribution import explain_from_zero
from jobs.selection.calibration import Calibration
from jobs.selection.crossfit import read_order
from storage.plan import ReadPlan
from storage.sequences import SequenceColumn
from storage.table import CategoricalColumn, Table

Floats = NDArray[np.float64]

_NODES = 4  # of an attribution


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """A column of sequences: its items, what stands between them in a text, and how many of the last count."""

    vocabulary: Vocabulary
    delimiter: str
    max_length: int


@dataclass(frozen=True, slots=True)
class TrainedNet:
    """A net, the encoders that it reads the numbers of, by column of sequences, and the calibration of its logits."""

    net: Net
    encoders: Mapping[str, Encoder]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Model:
    """The nets of a run and what they read.

    Attributes:
        id: the column that names a row.
        task: what is predicted.
        classes: label values by number; empty for numbers.
        target: how a label that is a number became what was learned.
        threshold: from which probability a row counts as positive; None where there are no two classes.
        numeric: names of the numeric columns.
        log1p, shift, factor: how they are scaled (see jobs/data/scaling.py).
        knots: where their codes bend.
        categorical, sequences, dates: the other columns.
        until: the column of dates that says each row's own time; None: dates are not counted up to it.
        unread: other columns of the drop that it was trained on: constant, rare, pruned, ignored, the label.
        shape: of the bodies.
        nets: with their encoders and calibrations.
    """

    id: str
    task: Task
    classes: tuple[str, ...]
    target: Target
    threshold: float | None
    numeric: tuple[str, ...]
    log1p: bool
    shift: Floats
    factor: Floats
    knots: Knots
    categorical: tuple[Vocabulary, ...]
    sequences: tuple[ItemColumn, ...]
    dates: tuple[Calendar, ...]
    until: str | None
    unread: frozenset[str]
    shape: BodyShape
    nets: tuple[TrainedNet, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in the order of the design."""
        texts = (column.name for column in self.categorical)
        items = (column.vocabulary.name for column in self.sequences)
        return (*self.numeric, *texts, *items, *(column.name for column in self.dates))

    def plan(self, there: Mapping[str, object]) -> ReadPlan:
        """Return what to read of a drop that has the columns `there`; the id stands in for the label."""
        return ReadPlan(
            id=self.id,
            label=self.id,
            numeric=tuple(name for name in self.numeric if name in there),
            categorical=tuple(column.name for column in self.categorical if column.name in there),
            sequences=tuple((c.vocabulary.name, c.delimiter) for c in self.sequences if c.vocabulary.name in there),
            dates=tuple(column.name for column in self.dates if column.name in there),
            until=self.until,
        )

    @property
    def read_in_order(self) -> frozenset[str]:
        """The names of the columns of sequences that have encoders."""
        return frozenset(name for trained in self.nets for name in trained.encoders)

    def designs(self, table: Table) -> Iterator[tuple[TrainedNet, Design]]:
        """Yield every net with the codes that it reads of the rows of a table, which was read by `plan`."""
        n_rows = len(table.ids)
        texts = {column.name: column for column in table.categorical}
        items = {column.name: column for column in table.sequences}
        codes = [(own, encode(_categories(own.name, texts, n_rows), own)) for own in self.categorical]
        found = [(own, _items(own, items, n_rows)) for own in self.sequences]
        others = [Block(each.name, share_items(each, own.vocabulary, own.max_length)) for own, each in found]
        others += [Block(own.name, self._dated(own, table), len(own.knots)) for own in self.dates]
        design = design_of(self._scaled(table), self.numeric, codes, others, self.knots)
        ordered = [
            order_items(each, own.vocabulary, own.max_length)
            for own, each in found
            if own.vocabulary.name in self.read_in_order
        ]
        for trained in self.nets:
            yield trained, read_order(design, ordered, trained.encoders)

    def logits(self, table: Table) -> Floats:
        """(n_rows,) or (n_rows, n_outputs) mean calibrated logits, or values as they were learned, of the nets."""
        rows = np.arange(len(table.ids))
        said = [each.calibration.apply(each.net.logits(design.Z, rows)) for each, design in self.designs(table)]
        return np.mean(said, axis=0)

    def predict(self, table: Table) -> dict[str, NDArray[Any]]:
        """Return predictions by column: `probability` and `label`, one for each class and `label`, or `value`."""
        f = self.logits(table)
        if self.task.kind == "regression":
            return {"value": self.target.to_label(f)}
        p, names = self.task.predictions(f), np.array(self.classes, dtype=object)
        if self.task.kind == "binary":
            called = p >= (0.5 if self.threshold is None else self.threshold)
            return {"probability": p, "label": names[called.astype(np.int64)]}
        of_classes = {f"probability_{name}": p[:, k] for k, name in enumerate(self.classes)}
        return of_classes | {"label": names[p.argmax(axis=1)]}

    def explain(self, table: Table, output: int = 0) -> csr_array:
        """(n_rows, n_columns) attributions of one output against a row in which nothing happened, logits.

        Good for showing values to people (see selection/attribution.py); columns are those of `columns`.
        """
        rows, total = np.arange(len(table.ids)), csr_array((len(table.ids), len(self.columns)), dtype=np.float64)
        for each, design in self.designs(table):
            blocks = explain_from_zero(each.net.of_output(output), design, rows, _NODES, lambda _: None)
            phi = csr_array(vstack([block.phi for block in blocks]))
            phi.sum_duplicates()
            total = csr_array(total + phi * (each.calibration.slope / len(self.nets)))
        return total

    def _dated(self, own: Calendar, table: Table) -> csr_array:
        """The codes of a column of dates, or of no date on every row."""
        at = {column.name: column.moments for column in table.dates}
        nothing = np.full(len(table.ids), np.datetime64("NaT"), "datetime64[us]")
        until = None if table.until is None else table.until.moments
        return encode_dates(Dates(own.name, at.get(own.name, nothing)), until, own)

    def _scaled(self, table: Table) -> csr_array:
        place = {name: k for k, name in enumerate(self.numeric)}
        X = table.numeric
        columns = np.array([place[name] for name in table.numeric_names], np.int32)
        indices = columns[X.indices] if len(columns) else X.indices
        values = np.empty(X.nnz, np.float32)
        rescale(indices, X.data, self.shift, self.factor, self.log1p, values)
        scaled = csr_array((values, indices, X.indptr), shape=(X.shape[0], len(self.numeric)))
        scaled.sort_indices()
        return scaled


def model_of(learned: Learned, problem: Problem) -> Model:
    """Return the model that a run leaves."""
    data, columns, kept, declared = learned.data, learned.columns, learned.columns.pruning.kept, problem.table.sequences
    items = [vocabulary for vocabulary in columns.items if vocabulary.n_values > 1]
    return Model(
        id=problem.table.id,
        task=learned.task,
        classes=data.classes,
        target=learned.target,
        threshold=learned.judgement.threshold,
        numeric=tuple(data.names[int(k)] for k in kept),
        log1p=columns.scaler.log1p,
        shift=columns.scaler.shift[kept],
        factor=columns.scaler.factor[kept],
        knots=columns.knots,
        categorical=tuple(vocabulary for vocabulary in columns.vocabularies if not vocabulary.is_constant),
        sequences=tuple(ItemColumn(v, declared[v.name].delimiter, declared[v.name].max_len) for v in items),
        dates=tuple(calendar for calendar in columns.calendars if not calendar.is_constant),
        until=_counted_up_to(learned, problem),
        unread=_unread(learned, problem),
        shape=learned.plan.shape,
        nets=tuple(TrainedNet(fold.net, fold.encoders, fold.calibration) for fold in learned.ensemble.folds),
    )


def _counted_up_to(learned: Learned, problem: Problem) -> str | None:
    """The column that the dates of the model are counted up to."""
    has_dates = any(not calendar.is_constant for calendar in learned.columns.calendars)
    return problem.table.time if has_dates and learned.data.until is not None else None


def _unread(learned: Learned, problem: Problem) -> frozenset[str]:
    """Columns that rows may have although the model does not read them."""
    data, table = learned.data, problem.table
    columns = (*data.categorical, *data.sequences, *data.dates)
    there = {*data.names, *(column.name for column in columns), *table.ignore, *table.report_by}
    there |= {name for name in (table.label, table.group, table.time, table.split) if name is not None}
    read = {*learned.columns.design.columns, table.id, _counted_up_to(learned, problem)}
    return frozenset(there - read)


def _categories(name: str, texts: Mapping[str, CategoricalColumn], n_rows: int) -> Categories:
    """The column as it was read, or null on every row."""
    found = texts.get(name)
    return Categories(name, found.codes, found.levels) if found else Categories(name, np.full(n_rows, -1, np.int32), ())


def _items(own: ItemColumn, items: Mapping[str, SequenceColumn], n_rows: int) -> Sequences:
    """The column as it was read, or nothing on every row."""
    name, found = own.vocabulary.name, items.get(own.vocabulary.name)
    if found is None:
        return Sequences(name, np.zeros(n_rows + 1, np.int64), np.zeros(0, np.int32), ())
    return Sequences(name, found.indptr, found.codes, found.levels)
