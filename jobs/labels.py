"""The label of a drop: two classes, several, or a number, as its task needs it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.errors import InvalidLabel
from jobs.net.tasks import TaskKind

_MOST_CLASSES = 200
_LARGEST = 3.4e38  # NaN compares with nothing
_NAMED = 5  # columns or values that a message spells out


def read_label(
    label: "pd.Series[Any]", name: str, task: TaskKind, positive: object = None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return (n_rows,) the number of each row's class and the classes as text; or the label itself, and no class.

    Args:
        label: as it was read.
        name: of the column.
        task: what it should be good for.
        positive: of two classes the one that counts as positive; None: the later one in order.

    Raises:
        InvalidLabel: it is not.
    """
    nulls = int(label.isna().sum())
    if nulls:
        raise InvalidLabel(f"{nulls} of {len(label)} rows have no label. Leave rows without a label out of the drop")
    if task == "regression":
        return _number_label(label, name), ()
    values = sorted(label.unique().tolist(), key=_by_kind)
    found = f"only {values[0]!r}" if len(values) == 1 else f"{len(values)} values: {listed(map(repr, values))}"
    if task == "binary" and len(values) != 2:
        several = ". Declare task: multiclass, or task: regression if they are numbers" if len(values) > 2 else ""
        raise InvalidLabel(f"a binary label needs two classes, and the label column holds {found}{several}")
    if len(values) < 2:
        raise InvalidLabel(f"a label of several classes needs two at least, and the label column holds {found}")
    if len(values) > _MOST_CLASSES:
        raise InvalidLabel(
            f"the label column holds {found}; at most {_MOST_CLASSES} classes are learned. "
            "Put rare ones together, or declare task: regression if they are numbers"
        )
    if positive is not None:
        if not any(_is_meant(value, positive) for value in values):
            raise InvalidLabel(
                f"table.positive is {positive!r}, and the label column {name!r} holds {found}. Name one of them"
            )
        values.sort(key=lambda value: _is_meant(value, positive))
    place = {value: number for number, value in enumerate(values)}
    y: NDArray[np.float32] = np.array([place[value] for value in label.tolist()], np.float32)
    return y, tuple(str(value) for value in values)


def _number_label(label: "pd.Series[Any]", name: str) -> NDArray[Any]:
    try:
        y: NDArray[Any] = label.astype("float64").to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InvalidLabel(
            f"the label column {name!r} holds no numbers ({error}), and the task is regression"
        ) from error
    if not (np.abs(y) <= _LARGEST).all():
        raise InvalidLabel(f"the label column {name!r} holds values that are infinite or larger than 3.4e38")
    if len(np.unique(y)) < 2:
        raise InvalidLabel(
            f"the label column {name!r} holds one value only, {float(y[0]):g}: there is nothing to learn"
        )
    return y


def _is_meant(value: object, positive: object) -> bool:
    return value == positive or str(value) == str(positive)


def _by_kind(value: object) -> tuple[str, Any]:
    """Sorts values of several types: each type on its own."""
    return str(type(value)), value


def listed(items: Iterable[str], most: int = _NAMED) -> str:
    """The first few, and how many more there are."""
    texts = list(items)
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
