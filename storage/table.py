"""What a drop says, as arrays: the record that the reader leaves and the jobs take over.

Knows nothing of learning: no split, no scale, no verdict about a column.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from storage.arrow import Array
from storage.dates import DateColumn
from storage.sequences import SequenceColumn


@dataclass(frozen=True, slots=True)
class CategoricalColumn:
    """One column of categories.

    Attributes:
        name: its name in the drop.
        codes: (n_rows,) int32; index into `levels`, -1 where the drop has null.
        levels: the distinct values as text, sorted.
    """

    name: str
    codes: NDArray[np.int32]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A drop as arrays. Rows are sorted by id and columns by name, whatever their order in the parts.

    Attributes:
        ids: (n_rows,) int64, or object (str); sorted, possibly with duplicates (intake judges them).
        numeric: (n_rows, n_numeric) CSR, float32 data, int32 indices sorted within each row, no stored zeros;
            null is zero; NaN and infinities are kept as they are (intake judges them).
        numeric_names: (n_numeric,) sorted.
        categorical: sorted by name.
        sequences: sorted by name.
        dates: sorted by name.
        until: each row's own time, where the plan names its column.
        label: (n_rows,) as it came, nulls included.
        group, time, split: (n_rows,) as they came, where the problem names such a column.
    """

    ids: NDArray[np.generic]
    numeric: csr_array
    numeric_names: tuple[str, ...]
    categorical: tuple[CategoricalColumn, ...]
    label: Array
    group: Array | None = None
    time: Array | None = None
    split: Array | None = None
    sequences: tuple[SequenceColumn, ...] = ()
    dates: tuple[DateColumn, ...] = ()
    until: DateColumn | None = None
