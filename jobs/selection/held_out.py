"""What a net says of rows that it never saw: the nuisance of every test on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.split import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a net says of rows that it never saw.

    Attributes:
        rows: (n,) their positions.
        f: (n,) calibrated logits.
        linear: (n,) calibrated logits of its linear model alone.
        effect: (n_codes,) mean linear effect of each code on these logits.
    """

    rows: Rows
    f: Floats
    linear: Floats
    effect: Floats
