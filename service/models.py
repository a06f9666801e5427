"""The newest model of each problem, changed for a newer one while it serves."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import pyarrow as pa

from jobs.model import Model
from service.logs import Log
from service.places import Place
from service.runs import KnownRun, known_run
from storage import StorageError
from storage.carried import as_text
from storage.committed import latest_run
from storage.errors import ObjectMissing
from storage.streaming import table_of
from storage.table import Table

LOOK_SECONDS = 10.0
MOST_ROWS = 10_000  # of one request
_LARGEST = 3.4e38  # that float32 holds; NaN compares with nothing


class NoModel(LookupError):
    """There is no such problem, or no run of it is committed yet."""


class UnfitRows(ValueError):
    """The rows of a request cannot be read; the message says which column and why."""


class Models:
    """What can be asked.

    Args:
        places: of the results of each problem.
        log: hears of every change.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, places: Sequence[Place], log: Log, clock: Callable[[], float]) -> None:
        self._places = {place.problem: place for place in places}
        self._known: dict[str, KnownRun] = {}
        self._looked: dict[str, float] = {}
        self._log, self._clock = log, clock
        self._looking = {problem: threading.Lock() for problem in self._places}

    @property
    def problems(self) -> list[str]:
        """The names of all problems."""
        return sorted(self._places)

    def newest(self, problem: str) -> KnownRun:
        """Return the newest run of a problem; looks for a newer one every ten seconds.

        While one request looks, others have the model that there is; they wait only where there is none yet.

        Raises:
            NoModel: there is none.
        """
        place = self._places.get(problem)
        if place is None:
            raise NoModel(f"there is no problem {problem!r}; there are {', '.join(self.problems)}")
        looking = self._looking[problem]
        if looking.acquire(blocking=problem not in self._known):
            try:
                if self._clock() - self._looked.get(problem, float("-inf")) >= LOOK_SECONDS:
                    self._looked[problem] = self._clock()
                    self._look(place)
            finally:
                looking.release()
        if problem not in self._known:
            raise NoModel(f"no run of {problem!r} is committed yet")
        return self._known[problem]

    def _look(self, place: Place) -> None:
        """Take the newest run of a place; a store that fails leaves the model that there is."""
        try:
            run_id = latest_run(place.store, place.problem)
            before = self._known.get(place.problem)
            if before is None or before.commit.run_id != run_id:
                self._known[place.problem] = known_run(place.store, place.problem, run_id)
                self._log.info("model_loaded", problem=place.problem, run_id=run_id)
        except ObjectMissing:
            return
        except (StorageError, OSError) as error:  # a store, or the temporary folder
            self._log.warning("model_not_loaded", problem=place.problem, error=type(error).__name__, found=str(error))


def rows_of(model: Model, columns: dict[str, list[Any]]) -> Table:
    """Return the rows of a request.

    Args:
        model: what they are for.
        columns: column -> values, equally many; columns that are not given never happened. Ids are not needed.

    Raises:
        UnfitRows: a column is unknown, is as long as no other, or holds what it cannot.
    """
    sequences, numeric = {column.vocabulary.name for column in model.sequences}, set(model.numeric)
    unknown = sorted(columns.keys() - {model.id, *model.columns, model.until} - model.unread)
    if unknown:
        raise UnfitRows(f"the model does not know {', '.join(map(repr, unknown[:5]))}; leave them out")
    lengths = {name: len(values) for name, values in columns.items()}
    n_rows = max(lengths.values(), default=0)
    short = [name for name, length in lengths.items() if length != n_rows]
    if short:
        raise UnfitRows(f"{short[0]!r} has {lengths[short[0]]} values and another column {n_rows}: give each row one")
    if not 1 <= n_rows <= MOST_ROWS:
        raise UnfitRows(f"there are {n_rows} rows: give 1 to {MOST_ROWS:,}, or use winnow score")
    arrays = {model.id: pa.array(range(n_rows))}
    for name, values in columns.items():
        if name != model.id and name not in model.unread:
            arrays[name] = _array(name, values, is_number=name in numeric, is_list=name in sequences)
    if model.until is not None and model.until not in arrays:
        raise UnfitRows(f"the model counts days up to {model.until!r}: give it for every row")
    table = table_of(pa.table(arrays), {}, model.plan(arrays))
    for column in (*table.dates, *((table.until,) if table.until else ())):
        if column.unreadable:
            raise UnfitRows(
                f"{column.name!r} is a date, and {column.unreadable[0]!r} is none: write 2026-11-27T18:05:00"
            )
    return table


def _array(name: str, values: list[Any], *, is_number: bool, is_list: bool) -> Any:  # noqa: ANN401 - of pyarrow
    if is_number:
        return pa.array([_number(name, value) for value in values], pa.float64())
    if is_list and any(isinstance(value, list) for value in values):
        return pa.array([_items(name, value) for value in values], pa.list_(pa.string()))
    return pa.array([None if value is None else _text(name, value) for value in values], pa.string())


def _number(name: str, value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and abs(value) <= _LARGEST):
        return None if value is None else float(value)
    raise UnfitRows(f"{name!r} is a number, and {value!r} is none that can be used")


def _items(name: str, value: object) -> list[str] | None:
    if value is None or isinstance(value, list):
        items = cast("list[object]", value or [])
        return None if value is None else [_text(name, item) for item in items if item is not None]
    raise UnfitRows(f"{name!r} holds lists, and also {value!r}: give lists, or texts")


def _text(name: str, value: object) -> str:
    """The text of a value as reading a drop would spell it."""
    if isinstance(value, list | dict):
        raise UnfitRows(f"{name!r} is a text, and a row has a list or an object")
    try:
        return str(as_text(pa.array(cast("list[Any]", [value])))[0])
    except (pa.ArrowInvalid, UnicodeError, OverflowError) as error:
        raise UnfitRows(f"{name!r} has a value that is no text: {value!a}") from error
