"""From evidence to a verdict: three witnesses, one p-value a column, one false discovery rate.

    conditional.py    does the column act on its own, given all others?        all rows but the test rows, two-sided
    interactions.py   does it act together with another one?                   all pairs, allowed for
    gain.py           does what the nets say of it point the right way?        whatever shape it has, one-sided

The first is the sharpest wherever there is a main effect and gets most of the chance of a false alarm. Where most
columns have something in common the last one is not heard, since what the nets say of noise is partly that; nor, of
numbers, the second: on any scale but the one on which columns add up, each true column acts together with what they
have in common, and so with all of them. The last one's z of noise is wider than 1, because folds share training rows
(docs/method.md): the width is estimated from the lower half of all z, where hardly a true column falls (an empirical
null: Efron 2004), and never taken below MIN_NULL_WIDTH.

Columns that the selected ones determine are selected with them (redundancy.py), with the largest of their q-values.

Selected columns come first, the surest one first. The others are ordered by what they are worth to a model: by the
geometric mean of their places by held-out gain and by the gain of boosted trees, which count twice, by p-value, and in
forward selection, where of several columns that say the same one comes early
(docs/decisions/0029-what-a-model-gains-counts-twice.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, pearson3, rankdata

from jobs.data.clusters import Clusters
from jobs.data.dataset import Design
from jobs.data.split import Rows
from jobs.selection.combination import combine
from jobs.selection.conditional import conditional_test
from jobs.selection.dependence import inflation
from jobs.selection.gain import Evidence
from jobs.selection.interactions import Interactions, find_interactions, no_interactions, strongest_pairs
from jobs.selection.redundancy import redundant_columns

Floats = NDArray[np.float64]

MIN_NULL_WIDTH = 1.1
_ENOUGH_COLUMNS = 20  # columns needed in the lower half before their spread is believed
_WEIGHTS = np.array([0.8, 0.1, 0.1])  # of the three witnesses, in the order above
_LEAST_SPREAD = 1e-12  # of a score that says anything
_TINY = 1e-16  # below it p-values of different witnesses are not compared any more


@dataclass(frozen=True, slots=True)
class Testimony:
    """What all witnesses say of one output: of the only one, or of one class against all others.

    Attributes:
        p_value: (n_columns,) of the witnesses together.
        gain: (n_columns,) nats per held-out row.
        z: (n_columns,) of the column on its own, given all others; in units of the null width.
        entry: (n_columns,) place in forward selection, 1 = first.
        stability: (n_columns,) share of folds in which the nets' contribution pointed the right way.
        interactions: pairs of columns that act together.
        null_width: the estimated standard deviation of z under the null.
    """

    p_value: Floats
    gain: Floats
    z: Floats
    entry: NDArray[np.int64]
    stability: Floats
    interactions: Interactions
    null_width: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The verdict on every kept column.

    Attributes:
        rank: (n_columns,) 1 = first; selected ones before all others.
        gain: (n_columns,) nats per held-out row; of several classes the sum over each against all others.
        score_z: (n_columns,) of the column on its own, given all others; in units of the null width; of several classes
            that of the class on which it acts most surely.
        q_value: (n_columns,) Benjamini-Hochberg.
        selected: (n_columns,) q_value <= q.
        redundant: (n_columns,) selected for what the other selected ones say, all of which it repeats.
        stability: (n_columns,) share of folds in which the nets' contribution pointed the right way.
        interactions: pairs of columns that act together.
        null_width: the estimated standard deviation of score_z under the null.
    """

    rank: NDArray[np.int64]
    gain: Floats
    score_z: Floats
    q_value: Floats
    selected: NDArray[np.bool_]
    redundant: NDArray[np.bool_]
    stability: Floats
    interactions: Interactions
    null_width: float


def hear(
    folds: Sequence[Evidence],
    design: Design,
    tested: Design,
    y: NDArray[np.float32],
    clusters: Clusters,
    factor: Floats | None = None,
    periods: NDArray[np.int64] | None = None,
) -> Testimony:
    """Hear all witnesses on one output, the evidence of all folds together.

    Args:
        folds: the evidence.
        design: the columns without knots.
        tested: the same with those that single columns are tested along.
        y: (n_rows,) labels of the output.
        clusters: (n_rows,) the number of the cluster of each row.
        factor: (n_rows,) what most columns have in common; None: nothing.
        periods: (n_rows,) of which rows have an intercept each (split.py); None: there is one.
    """
    held_out, n = [fold.held_out for fold in folds], len(design.columns)
    wider = inflation(tested, y, held_out, clusters)
    conditional = conditional_test(tested, y, held_out, wider, factor, periods)
    of_nets, interactions = np.ones(n), no_interactions(design)
    if factor is None:
        of_nets = score_tail(folds, np.maximum.reduceat(wider.max(axis=1), tested.starts[:-1]))
    if factor is None or not held_out[0].family.is_gaussian:
        interactions = find_interactions(design, y, held_out, wider.max(axis=1)[tested.plain_codes])
    witnesses = np.stack([conditional.p_value, interactions.p_value, of_nets])
    return Testimony(
        combine(witnesses.ravel(), np.tile(np.arange(n), 3), n, np.repeat(_WEIGHTS, n)),
        np.sum([fold.gain for fold in folds], axis=0) / sum(len(held.rows) for held in held_out),
        conditional.z,
        conditional.entry,
        np.mean([fold.points > 0 for fold in folds], axis=0),
        interactions,
        conditional.width,
    )


def select_columns(
    heard: Sequence[Testimony], gain_of_trees: Floats, q: float, design: Design, rows: Rows
) -> Selection:
    """Judge every column by the testimonies on all outputs.

    Args:
        heard: the testimonies.
        gain_of_trees: (n_columns,) of boosted trees; a voice in the order of what is not selected, and in no verdict.
        q: the false discovery rate.
        design: the columns without knots.
        rows: those on which they are compared with each other.
    """
    n, of_outputs = len(heard[0].p_value), np.stack([each.p_value for each in heard])
    p = of_outputs[0] if len(heard) == 1 else combine(of_outputs.ravel(), np.tile(np.arange(n), len(heard)), n)
    q_value = false_discovery_control(p, method="bh")
    gain, zs = np.sum([each.gain for each in heard], axis=0), np.stack([each.z for each in heard])
    z = zs[np.abs(zs).argmax(axis=0), np.arange(n)]
    selected, redundant = q_value <= q, np.zeros(n, np.bool_)
    entry = np.min([each.entry for each in heard], axis=0)
    gained = np.log(_places(-gain)) + np.log(rankdata(-gain_of_trees))
    worth = 2 * gained + np.log(entry) + np.log(rankdata(p))
    surest = np.lexsort((-np.abs(z), np.maximum(p, _TINY)))
    redundant[redundant_columns(design, rows, surest[selected[surest]])] = True
    q_value[redundant] = q_value.max(where=selected, initial=0.0)
    selected |= redundant
    return Selection(
        _places(np.where(selected, _places_of(surest) - n - 1.0, worth)),
        gain,
        z,
        q_value,
        selected,
        redundant,
        np.mean([each.stability for each in heard], axis=0),
        strongest_pairs([each.interactions for each in heard]),
        max(each.null_width for each in heard),
    )


def score_z(folds: Sequence[Evidence]) -> Floats:
    """(n_columns,) score of all folds in units of its standard error; 0 where a column never contributes."""
    return _in_units_of_spread(folds, "score", 1)


def score_tail(folds: Sequence[Evidence], inflation: Floats) -> Floats:
    """(n_columns,) chance of such a score, or a larger one, of a column of noise.

    That of a gamma variable, shifted, with the score's own three moments: where few of the rows that have a column have
    the label, the score is all but a multiple of a Poisson variable. One that leans the other way has a normal tail.

    inflation: (n_columns,) of its standard deviation (dependence.py).
    """
    z = score_z(folds) / inflation
    skewness = _in_units_of_spread(folds, "third_moment", 3)
    return np.asarray(pearson3.sf(z / width_of_lower_half(z), np.maximum(skewness, 0)))


def _in_units_of_spread(folds: Sequence[Evidence], moment: str, power: int) -> Floats:
    """(n_columns,) a sum over all folds by that power of the score's standard error; 0 where there is none."""
    total, variance = (np.sum([getattr(fold, name) for fold in folds], axis=0) for name in (moment, "variance"))
    spread = np.sqrt(np.maximum(variance, 0))
    return np.divide(total, spread**power, out=np.zeros_like(spread), where=spread > _LEAST_SPREAD)


def _places(value: Floats) -> NDArray[np.int64]:
    """(n,) 1 for the smallest; ties by position."""
    return _places_of(np.argsort(value, kind="stable"))


def _places_of(order: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(1, len(order) + 1)
    return places


def width_of_lower_half(z: Floats) -> float:
    """Spread of the lower half of z around its centre (the median, at most 0); at least MIN_NULL_WIDTH."""
    centre = min(float(np.median(z)), 0.0)
    lower = z[z < centre]
    if len(lower) < _ENOUGH_COLUMNS:
        return MIN_NULL_WIDTH
    return max(MIN_NULL_WIDTH, float(np.sqrt(np.mean((lower - centre) ** 2))))
