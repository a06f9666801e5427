"""Items that are ranked: against every candidate written out as a row of the table."""

from dataclasses import replace

import numpy as np
import pytest

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.net.tasks import REGRESSION
from jobs.selection.recommendation import Ranked, Wanted, rank_items
from tests.jobs.mixed_drop import learn_quietly
from tests.jobs.tables import categories, csr_of, problem_of

N_USERS, N_ITEMS, AT = 20, 15, 4
TABLE = {"id": "pair", "label": "y", "categorical": ["user", "item", "kind"], "split": "split"}
NET = {"d_block": 8, "n_blocks": 1, "epochs": 15, "factorise": ["user", "item"], "n_factors": 4}


def shop() -> Dataset:
    """3,000 pairs; users want items of their own kind; test rows are wanted pairs that train nothing."""
    random = np.random.default_rng(7)
    n = 3000
    user, item = random.integers(0, N_USERS, n), random.integers(0, N_ITEMS, n)
    y = ((user % 3 == item % 3) & (random.random(n) < 0.8)).astype(np.float32) * 3
    sides = np.where(random.random(n) < 0.15, "valid", "train").astype(object)
    last = {int(who): k for k, who in enumerate(user) if y[k] > 0}
    judging = [k for k in range(n) if y[k] > 0 and item[k] == item[last[int(user[k])]]]
    sides[judging] = "drop"
    sides[list(last.values())] = "test"
    sides[random.choice(np.flatnonzero((y == 0) & (sides == "train")), 40, replace=False)] = "test"
    kept = np.flatnonzero(sides != "drop")
    age = random.integers(1, 5, N_USERS)[user[kept]].astype(np.float32)
    columns = [
        categories("item", [f"i{k:02d}" for k in item[kept]]),
        categories("kind", [f"k{k % 3}" for k in item[kept]]),
        categories("user", [f"u{k:02d}" for k in user[kept]]),
    ]
    label = y[kept].astype(np.float64)
    return Dataset(
        np.arange(len(kept)),
        csr_of(age[:, None]),
        ("age",),
        tuple(columns),
        y[kept],
        (),
        split=sides[kept],
        numbers=label,
    )


def learned_shop(data: Dataset) -> Learned:
    rank = {"by": "user", "items": ["item", "kind"], "at": AT}
    asked = problem_of(table=TABLE, task="regression", net=NET, rank=rank, prune={"min_rows": 1})
    return learn_quietly(data, asked)[0]


@pytest.fixture(scope="module")
def run() -> tuple[Dataset, Learned]:
    data = shop()
    return data, learned_shop(data)


def by_hand(data: Dataset, learned: Learned) -> dict[str, float]:
    """Hit rate and NDCG of the nets: every item of the known rows as a row of its own."""
    item, _, user = data.categorical
    split, design = learned.split, learned.columns.design
    known = np.sort(np.concatenate([split.train, split.valid]))
    hits, gains = [], []
    for row in split.test[data.y[split.test] > 0]:
        had = set(item.codes[known[(user.codes[known] == user.codes[row]) & (data.y[known] > 0)]].tolist())
        scores = {}
        for candidate in sorted(set(item.codes[known].tolist())):
            if candidate in had and candidate != item.codes[row]:
                continue
            same_user = design.Z[[row]].toarray()
            like = design.Z[[known[item.codes[known] == candidate][0]]].toarray()
            for name in ("item", "kind"):
                (codes,) = design.codes_of([name])
                same_user[:, codes] = like[:, codes]
            Z = csr_of(same_user)
            said = [fold.calibration.apply(fold.net.logits(Z, np.array([0]))) for fold in learned.ensemble.folds]
            scores[candidate] = float(np.mean(said))
        own = scores.get(int(item.codes[row]))
        rank = sum(score > own for score in scores.values()) if own is not None else np.inf
        hits.append(rank < AT)
        gains.append(1 / np.log2(rank + 2) if rank < AT else 0.0)
    return {f"hit_rate_at_{AT}": float(np.mean(hits)), f"ndcg_at_{AT}": float(np.mean(gains))}


def test_ranks_are_those_of_candidates_written_out(run: tuple[Dataset, Learned]) -> None:
    data, learned = run
    assert learned.ranked is not None
    assert (learned.ranked.n_rows, learned.ranked.n_items) == (N_USERS, N_ITEMS)
    found = {name: estimate.value for name, estimate in learned.ranked.metrics["net"].items()}
    assert found == pytest.approx(by_hand(data, learned), abs=1e-6)


def test_who_wants_what_is_found_and_popularity_is_beaten(run: tuple[Dataset, Learned]) -> None:
    ranked = run[1].ranked
    assert ranked is not None
    hit = {model: metrics[f"hit_rate_at_{AT}"].value for model, metrics in ranked.metrics.items()}
    assert set(hit) == {"net", "linear", "popularity"}
    assert hit["net"] >= 0.8
    assert hit["net"] > hit["popularity"] + 0.2


def ranked_by(data: Dataset, learned: Learned, test: np.ndarray, is_wanted: np.ndarray) -> Ranked | None:
    item, _, user = data.categorical
    return rank_items(
        Wanted(user, item, ("item", "kind"), is_wanted),
        learned.columns.design,
        learned.ensemble,
        learned.linear,
        known=np.setdiff1d(np.arange(data.n_rows), test),
        test=test,
        at=AT,
        seed=1,
        threads=1,
        on_rows=lambda _: None,
    )


def test_popularity_is_the_number_of_known_rows_that_wanted_an_item() -> None:
    item = categories("item", ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"] + ["c", "z", "b"])
    user = categories("user", ["1", "2", "3", "4", "1", "2", "4", "1", "4", "5", "7", "7", "4"])
    data, learned = run_of(item, user)
    ranked = ranked_by(data, learned, np.array([10, 11, 12]), np.ones(13, bool))
    assert ranked is not None
    # 7 wants c: third of four. 7 wants z: never seen. 4 wants b: had a and c, and b on a known row: first.
    assert ranked.metrics["popularity"][f"hit_rate_at_{AT}"].value == pytest.approx(2 / 3)
    wanted = (1 / np.log2(2 + 2) + 0 + 1) / 3
    assert ranked.metrics["popularity"][f"ndcg_at_{AT}"].value == pytest.approx(wanted)
    assert (ranked.n_rows, ranked.n_items) == (3, 4)


def test_nothing_wanted_ranks_nothing() -> None:
    data, learned = run_of(categories("item", list("abcabc")), categories("user", list("123123")))
    assert ranked_by(data, learned, np.array([4, 5]), np.zeros(6, bool)) is None


def run_of(item: object, user: object) -> tuple[Dataset, Learned]:
    """These rows with the nets of the shop, which know none of them: only what does not come from nets is looked at."""
    data = shop()
    learned = learned_shop(data)
    n = len(item.codes)
    folds = tuple(replace(fold, design=replace(fold.design, Z=fold.design.Z[:n])) for fold in learned.ensemble.folds)
    design = replace(learned.columns.design, Z=learned.columns.design.Z[:n])
    few = replace(data, categorical=(item, data.categorical[1], user), y=data.y[:n])
    return few, replace(
        learned, columns=replace(learned.columns, design=design), ensemble=replace(learned.ensemble, folds=folds)
    )


def test_the_task_of_the_shop_is_a_regression(run: tuple[Dataset, Learned]) -> None:
    assert run[1].task == REGRESSION
