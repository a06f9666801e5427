"""Tables of which the truth is known: the columns in the formula of the label, and only these, are true.

Counts are sparse (.3 % to 30 % non-zero) and heavy-tailed. Every effect is scaled to its standard deviation over
rows, so that a rare column can matter as much as a common one; its size is drawn from EFFECT. A twin of a true
column, or a neighbour in its block, is not true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

N_COLUMNS, N_TRUE = 600, 40
EFFECT = (0.1, 0.3)  # logits per standard deviation; with 14,400 training rows the smallest is 4.5 standard errors
_SHARE = (0.003, 0.3)  # of non-zeros
_BLOCK = 5


@dataclass(frozen=True)
class Truth:
    """A table and what decides its label.

    Attributes:
        X: (n_rows, n_columns) CSR float32 counts (and KPIs).
        y: (n_rows,) float32, 0 or 1, or a number.
        true: (n_true,) the columns in the formula of the label.
        probability: (n_rows,) of the label: the best possible model; of a number empty.
        is_late: (n_rows,) rows that come after all others in time; empty where time plays no part.
        asks: sections of the problem file beside the usual ones.
    """

    X: csr_array
    y: NDArray[np.float32]
    true: Index
    probability: Floats
    is_late: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    asks: Mapping[str, object] = field(default_factory=dict[str, object])


def _counts(random: np.random.Generator, n: int, share: Floats, driver: Floats | None = None) -> Floats:
    """(n, len(share)) counts: 1 + geometric where a column happens; a driver (n, columns) in (0, 1) decides where."""
    happens = (random.random((n, len(share))) if driver is None else driver) < share
    return happens * random.geometric(0.5, (n, len(share)))


def _shares(random: np.random.Generator, n_columns: int, among: tuple[float, float] = _SHARE) -> Floats:
    return np.exp(random.uniform(np.log(among[0]), np.log(among[1]), n_columns))


def _standardised(effect: Floats) -> Floats:
    spread = effect.std(axis=0)
    return (effect - effect.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _main_effects(random: np.random.Generator, X: Floats) -> Floats:
    """(n,) sum of one effect a column, half through log1p of the count, half through having happened at all."""
    n = X.shape[1]
    through = np.where(np.arange(n) % 2 == 0, np.log1p(X), X > 0)
    return _standardised(through) @ (random.uniform(*EFFECT, n) * random.choice([-1, 1], n))


def _pairs(random: np.random.Generator, X: Floats) -> Floats:
    """(n,) sum of interactions of columns 2k and 2k + 1, of their presences, with no main effect of either."""
    presence = _standardised(1.0 * (X > 0))
    products = presence[:, 0::2] * presence[:, 1::2]
    return _standardised(products) @ (random.uniform(2 * EFFECT[1], 3 * EFFECT[1], X.shape[1] // 2))


def _draw(random: np.random.Generator, X: Floats, logit: Floats, true: Index, positives: float = 0.35) -> Truth:
    """Draw labels so that about this share is positive; put the columns in a random order."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(logit + middle).mean() < positives else (low, middle)
    p = _sigmoid(logit + low)
    order = random.permutation(X.shape[1])
    place = np.argsort(order)
    return Truth(
        csr_array(X[:, order].astype(np.float32)),
        (random.random(len(p)) < p).astype(np.float32),
        np.sort(place[true]),
        p,
    )


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def plain(random: np.random.Generator, n: int, positives: float = 0.35) -> Truth:
    """Independent sparse counts, forty main effects."""
    X = _counts(random, n, _shares(random, N_COLUMNS))
    return _draw(random, X, _main_effects(random, X[:, :N_TRUE]), np.arange(N_TRUE), positives)


def few_positives(random: np.random.Generator, n: int) -> Truth:
    """As `plain`, with 2 % positives."""
    return plain(random, n, positives=0.02)


def _blocks(random: np.random.Generator, n: int, share_of_driver: float) -> Truth:
    """Blocks of five columns happen together: ranks share a Gaussian driver. One column of each true block is true."""
    n_blocks = N_COLUMNS // _BLOCK
    common = np.repeat(random.normal(size=(n, n_blocks)), _BLOCK, axis=1)
    own = random.normal(size=(n, N_COLUMNS))
    latent = np.sqrt(share_of_driver) * common + np.sqrt(1 - share_of_driver) * own
    shares = np.repeat(_shares(random, n_blocks, (0.02, 0.3)), _BLOCK)
    X = _counts(random, n, shares, ndtr(latent))
    true = np.arange(N_TRUE) * _BLOCK
    return _draw(random, X, _main_effects(random, X[:, true]), true)


def blocks_half(random: np.random.Generator, n: int) -> Truth:
    """Blocks whose drivers have correlation .5."""
    return _blocks(random, n, 0.5)


def blocks_strong(random: np.random.Generator, n: int) -> Truth:
    """Blocks whose drivers have correlation .8."""
    return _blocks(random, n, 0.8)


def interactions(random: np.random.Generator, n: int) -> Truth:
    """Twenty columns act in ten pairs, none alone. Ten per cent to half of the rows have each."""
    shares = _shares(random, N_COLUMNS, (0.02, 0.3))
    shares[:20] = random.uniform(0.2, 0.5, 20)
    X = _counts(random, n, shares)
    return _draw(random, X, _pairs(random, X[:, :20]), np.arange(20))


def dominant_kpis(random: np.random.Generator, n: int) -> Truth:
    """Three dense KPIs carry most of the signal, forty weak sparse columns the rest; twenty more KPIs are noise."""
    sparse = _counts(random, n, _shares(random, N_COLUMNS - 23))
    kpi = np.exp(random.normal(size=(n, 23)) * 0.5) * random.uniform(1, 100, 23)
    X = np.hstack([kpi, sparse])
    logit = _standardised(np.log(kpi[:, :3])) @ np.array([1.2, -0.9, 0.7])
    logit += 0.3 * (_standardised(np.log(kpi[:, 0])) * _standardised(np.log(kpi[:, 1])))
    logit += _main_effects(random, sparse[:, :N_TRUE])
    return _draw(random, X, logit, np.concatenate([np.arange(3), 23 + np.arange(N_TRUE)]))


def rare(random: np.random.Generator, n: int) -> Truth:
    """Columns that happen on .05 % to 1 % of the rows, at least on twelve; effects as large as these need."""
    shares = np.maximum(_shares(random, N_COLUMNS, (0.0005, 0.01)), 12 / n)
    X = _counts(random, n, shares)
    return _draw(random, X, _main_effects(random, X[:, :N_TRUE]), np.arange(N_TRUE))


def twins(random: np.random.Generator, n: int) -> Truth:
    """Every true column, and a hundred others, have a twin at r .9 to .99 that does not act."""
    X = _counts(random, n, _shares(random, N_COLUMNS, (0.02, 0.3)))
    twin = X[:, :140].copy()
    other = _counts(random, n, (X[:, :140] > 0).mean(axis=0))
    changed = random.random((n, 140)) < random.uniform(0.01, 0.1, 140)
    X = np.hstack([X, np.where(changed, other, twin)])
    return _draw(random, X, _main_effects(random, X[:, :N_TRUE]), np.arange(N_TRUE))


def drift(random: np.random.Generator, n: int) -> Truth:
    """In the last fifth of the rows a hundred columns of noise happen twice as often, and the label less often."""
    late = np.arange(n) >= 0.8 * n
    shares = _shares(random, N_COLUMNS)
    X = _counts(random, n, shares)
    more = _counts(random, n, shares[100:200])
    X[:, 100:200] = np.where(late[:, None], X[:, 100:200] + more, X[:, 100:200])
    drawn = _draw(random, X, _main_effects(random, X[:, :N_TRUE]) - 0.8 * late, np.arange(N_TRUE))
    return Truth(drawn.X, drawn.y, drawn.true, drawn.probability, late)


def curves(random: np.random.Generator, n: int) -> Truth:
    """A dense table: twelve of forty columns act, each through a bend, a step or a wave; each has siblings at r .6."""
    X = _siblings(random, n)
    shapes = (np.abs, lambda x: 1.0 * (x > 0.5), lambda x: np.sin(2 * x))
    acting = np.column_stack([shapes[k % 3](X[:, 2 * k]) for k in range(12)])
    effect = random.uniform(*EFFECT, 12) * random.choice([-1, 1], 12)
    return _draw(random, X, _standardised(acting) @ effect, 2 * np.arange(12))


def dense_null(random: np.random.Generator, n: int) -> Truth:
    """A dense table of which nothing decides."""
    return _draw(random, _siblings(random, n), np.zeros(n), np.zeros(0, np.int64))


def _siblings(random: np.random.Generator, n: int) -> Floats:
    """(n, 40) normal columns in pairs with correlation .6."""
    common = np.repeat(random.normal(size=(n, 20)), 2, axis=1)
    return np.sqrt(0.6) * common + np.sqrt(0.4) * random.normal(size=(n, 40))


def null(random: np.random.Generator, n: int) -> Truth:
    """Nothing decides: independent counts, blocks and KPIs, and a label that is a coin."""
    kpi = np.exp(random.normal(size=(n, 10)) * 0.5)
    common = np.repeat(random.normal(size=(n, 20)), _BLOCK, axis=1)
    latent = np.sqrt(0.8) * common + np.sqrt(0.2) * random.normal(size=(n, 100))
    in_blocks = _counts(random, n, _shares(random, 100, (0.02, 0.3)), ndtr(latent))
    X = np.hstack([kpi, in_blocks, _counts(random, n, _shares(random, N_COLUMNS - 110))])
    return _draw(random, X, np.zeros(n), np.zeros(0, np.int64))


def _of_active_users(random: np.random.Generator, n: int) -> tuple[Floats, Floats, Index]:
    """A hundred counts, all of which go with how active a user is; them standardised; eight of the common ones."""
    X = random.poisson(random.gamma(0.7, 1, n)[:, None] * random.lognormal(-0.5, 1, 100)).astype(np.float64)
    return X, _standardised(np.log1p(X)), random.choice(np.flatnonzero((X > 0).mean(axis=0) > 0.06), 8, replace=False)


def _of_number(X: Floats, y: Floats, true: Index, transform: str = "none") -> Truth:
    asks = {"task": "regression", "target": {"transform": transform}}
    return Truth(csr_array(X.astype(np.float32)), y.astype(np.float32), np.sort(true), np.zeros(0), asks=asks)


def active_users(random: np.random.Generator, n: int) -> Truth:
    """Eight of a hundred columns that all go with how active a user is act on a label of two classes."""
    X, S, true = _of_active_users(random, n)
    return _draw(random, X, 0.4 * S[:, true].sum(axis=1), true)


def payers(random: np.random.Generator, n: int) -> Truth:
    """What users pay, mostly nothing, by columns that go with how active they are; learned as log(1 + y)."""
    X, S, true = _of_active_users(random, n)
    pays = random.random(n) < _sigmoid(S[:, true].sum(axis=1) / 2 - 3.3)
    return _of_number(X, pays * np.exp(2 + 0.3 * S[:, true[:4]].sum(axis=1) + random.normal(size=n)), true, "log1p")


def purchases(random: np.random.Generator, n: int) -> Truth:
    """A count of purchases (Poisson), learned as log(1 + y), by columns that go with how active users are."""
    X, S, true = _of_active_users(random, n)
    mean = np.exp(np.clip(S[:, true].sum(axis=1) / 4 - 0.5, -9, 4))
    return _of_number(X, random.poisson(mean).astype(np.float64), true, "log1p")


def uneven(random: np.random.Generator, n: int) -> Truth:
    """A number whose noise grows with how active a user is."""
    X, S, true = _of_active_users(random, n)
    noise = (0.2 + 3 * np.log1p(X).mean(axis=1)) * random.normal(size=n)
    return _of_number(X, 0.2 * S[:, true].sum(axis=1) + noise, true)


def bent(random: np.random.Generator, n: int) -> Truth:
    """A number whose mean rises steeply where many of its columns are large, with even noise."""
    X, S, true = _of_active_users(random, n)
    return _of_number(X, 4 * _sigmoid(S[:, true].sum(axis=1) / 2 - 3.3) + 0.5 * random.normal(size=n), true)


DESIGNS: dict[str, Callable[[np.random.Generator, int], Truth]] = {
    "plain": plain,
    "blocks .5": blocks_half,
    "blocks .8": blocks_strong,
    "interactions": interactions,
    "dominant KPIs": dominant_kpis,
    "rare": rare,
    "2 % positives": few_positives,
    "twins": twins,
    "drift": drift,
    "curves": curves,
    "null": null,
    "dense null": dense_null,
    "active users": active_users,
    "payers": payers,
    "purchases": purchases,
    "uneven": uneven,
    "bent": bent,
}
