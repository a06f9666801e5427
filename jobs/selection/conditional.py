"""Does a column act on the label, given all others? A test on all rows but the test rows.

The nets are cross-fitted, so every training row, and every validation row, has a logit f from a net that was not
trained on it. For a coordinate x of column j (its scaled value; whether it happened at all; a bend of a common number;
a level of a categorical column), what the net says of j is put back into the residual, and x is replaced by what its
relatives cannot predict of it (where j has several codes, which may cancel, it is put back only if it is active):

    theta_j = b_j + sum_i x~_i (y_i - sigma(f_i)) / I_j        I_j = sum_i h_i x~_i^2,   h = sigma(f) (1 - sigma(f))
    z_j     = theta_j sqrt(I_j)

x~ is x less its projection, with weights h, on the intercept (of several periods one each: jobs/data/split.py), on what
most columns have in common (jobs/data/factor.py) with its bends, and on the coordinates of all *active* columns but j:
those that show an effect of their own beside stronger ones (nuisance.py). b_j is the slope along x of what the net says
of j (effects.py).
Errors of the net and of the projection enter only as their product (Neyman orthogonality: Chernozhukov et al. 2018,
section 2; for the generalised linear model van de Geer et al. 2014; as a test Shah and Peters 2020), so z is close to
standard normal under the null although the net is not the truth, and no power is lost to the split into folds. How wide
it still is, and how it still goes with what most columns have in common, the z of all columns tell (null.py). Where few
rows have the column, or few the label, the tail is not normal: it is computed from the labels' distribution by the
saddlepoint (Dey et al. 2017).

Everything is a weighted sum over non-zeros: O(nnz) for the scores, O(entries of active columns x non-zeros of their
rows) for the projections.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from jobs.data.dataset import Design
from jobs.selection.combination import combine
from jobs.selection.coordinates import Coordinates
from jobs.selection.held_out import HeldOut
from jobs.selection.nuisance import Nuisance
from jobs.selection.null import MANY, normal_equivalent, slope_of_the_middle, width_of_the_middle
from jobs.selection.tails import refine_tails, resample_tails

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditional:
    """The verdict of the test.

    Attributes:
        z: (n_columns,) of the coordinate of each column that deviates most, as a normal z (null.py).
        p_value: (n_columns,) two-sided, all coordinates of the column together.
        entry: (n_columns,) 1 = first: those that stand out as forward selection takes them, then the others by |z|.
        width: standard deviation of z under the null, as estimated.
    """

    z: Floats
    p_value: Floats
    entry: NDArray[np.int64]
    width: float


def conditional_test(
    design: Design,
    y: NDArray[np.float32],
    folds: Sequence[HeldOut],
    inflation: Floats,
    factor: Floats | None = None,
    periods: NDArray[np.int64] | None = None,
) -> Conditional:
    """Test every column of the design on the held-out rows of all folds together.

    Args:
        design: the input.
        y: (n_rows,) labels.
        folds: what the nets say of the rows that they never saw.
        inflation: (n_codes, 2) of the standard deviation of value and presence of each code (dependence.py).
        factor: (n_rows,) what most columns have in common; None: nothing.
        periods: (n_rows,) of which rows have an intercept each (split.py); None: there is one.
    """
    nuisance = Nuisance(design, y, folds, inflation, factor, periods)
    order, products = nuisance.order_of_entry()
    coordinates = Coordinates(nuisance.sums, design)
    measured = coordinates.project(products) / coordinates.inflation
    owner, is_plain = design.owner[coordinates.code], np.isin(coordinates.code, design.plain_codes)
    judges = np.flatnonzero(coordinates.is_testable & is_plain)  # bends of few columns are many, and alike
    loading = coordinates.loading[:, : int(factor is not None)]
    share = np.where(coordinates.is_testable, loading.T / coordinates.deviation, 0.0).T
    common = share @ slope_of_the_middle(measured[judges], share[judges])
    coordinates.score -= common * coordinates.inflation * np.sqrt(coordinates.own_share)
    measured -= common
    width = width_of_the_middle(measured[judges])
    z = measured / width
    if len(judges) >= MANY:
        z = normal_equivalent(z, len(np.unique(coordinates.code[judges])))
    wider = coordinates.inflation * np.divide(measured, z, out=np.full(len(z), width), where=z != 0)
    p = 2 * ndtr(-np.abs(z))
    if folds[0].family.is_gaussian:
        resample_tails(p, z, design.Z, nuisance.sums, coordinates)
    else:
        refine_tails(p, z, wider, design.Z, nuisance.sums, coordinates, y)
    strongest = np.zeros(len(design.columns))
    for at in np.argsort(np.abs(z), kind="stable"):
        strongest[owner[at]] = z[at]
    by_entry = np.concatenate([design.owner[order], np.argsort(-np.abs(strongest), kind="stable")])
    entry = np.argsort(np.argsort(_first_places(by_entry, len(strongest)))) + 1
    weight = np.where(is_plain, 1.0, 1 / np.maximum(1, design.n_learned[owner])) * coordinates.is_testable
    return Conditional(strongest, combine(p, owner, len(design.columns), weight), entry, width)


def _first_places(order: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """(n,) where each of the numbers below n stands first in `order`, which holds them all."""
    places = np.empty(n, np.int64)
    places[order[::-1]] = np.arange(len(order))[::-1]
    return places
