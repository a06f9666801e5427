"""A small drop with a column of every fate, learned once for all tests of what a run leaves behind."""

from dataclasses import replace

import numpy as np

from config import Problem
from jobs.data.dataset import Dataset
from jobs.learn import Learned, learn
from jobs.observer import Silent
from jobs.stages import Stages
from tests.jobs.tables import categories, counts, csr_of, dataset_of, draw_labels, problem_of

N_ROWS = 1200


def mixed_dataset() -> Dataset:
    """Return numeric columns true, false, twin, constant, rare, nearly the label; and categorical ones."""
    random = np.random.default_rng(11)
    noise = counts(12, N_ROWS, 12, (0.05, 0.5)).toarray()
    true = counts(13, N_ROWS, 3, (0.2, 0.5)).toarray()
    town = random.choice(["Aden", "Giran", "Oren", None], N_ROWS, p=[0.4, 0.3, 0.2, 0.1]).tolist()
    effect = {"Aden": -1.0, "Giran": 1.0, "Oren": 0.5, None: 0.0}
    f = 0.6 * (true @ [1.0, -1.0, 0.8]) + np.array([effect[place] for place in town]) - 0.3
    y = draw_labels(f, 14)
    leak = np.where(random.random(N_ROWS) < 0.002, 1 - y, y) * 9
    columns = {
        "boss_kills": true[:, 0],
        "item_found": true[:, 1],
        "quest_done": true[:, 2],
        "boss_kills_twin": 3 * true[:, 0],
        "a_leak": leak,
        "always": np.full(N_ROWS, 4.0),
        "never": np.zeros(N_ROWS),
        "hardly": np.where(np.arange(N_ROWS) < 4, 1.0, 0.0),
    } | {f"noise_{k:02d}": noise[:, k] for k in range(12)}
    names = sorted(columns)
    X = csr_of(np.stack([columns[name] for name in names], axis=1))
    one = categories("server", ["eu"] * N_ROWS)
    guild = categories("guild", [f"g{k % 3}" for k in random.permutation(N_ROWS)])
    data = dataset_of(X, y, (guild, one, categories("town", town)), names)
    return replace(data, ids=np.array([f"user-{k:05d}" for k in range(N_ROWS)], dtype=object))


def mixed_problem() -> Problem:
    return problem_of(net={"d_block": 16, "n_blocks": 2, "epochs": 4, "patience": 4, "code_penalty": 0.2})


def learn_quietly(data: Dataset, problem: Problem, threads: int = 2) -> tuple[Learned, Stages]:
    stages = Stages(Silent())
    return learn(data, problem, threads, stages), stages
