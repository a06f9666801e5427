"""LightGBM as a baseline."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from jobs.errors import Abandoned
from jobs.selection.baselines import boost
from tests.jobs.tables import csr_of, draw_labels

RANDOM = np.random.default_rng(5)
DENSE = (RANDOM.random((1500, 8)) < 0.5).astype(np.float32)
Z, Y = csr_of(DENSE), draw_labels(4.0 * (DENSE[:, 0] != DENSE[:, 1]) - 2, 6)
TRAIN, VALID = np.arange(1000), np.arange(1000, 1500)


def test_trees_see_an_interaction_and_speak_in_logits() -> None:
    trees = boost(Z, Y, TRAIN, VALID, seed=1, threads=1)
    f = trees.logits(VALID)
    assert roc_auc_score(Y[VALID], f) > 0.8
    assert f.min() < 0 < f.max()
    assert set(np.argsort(trees.gain())[-2:].tolist()) == {0, 1}


def test_trees_are_the_same_for_any_number_of_threads() -> None:
    one, two = (boost(Z, Y, TRAIN, VALID, seed=1, threads=k) for k in (1, 2))
    np.testing.assert_array_equal(one.logits(VALID), two.logits(VALID))
    np.testing.assert_array_equal(one.gain(), two.gain())


def test_who_watches_may_end_the_boosting() -> None:
    rounds: list[None] = []

    def stop() -> None:
        rounds.append(None)
        if len(rounds) == 3:
            raise Abandoned("stop")

    with pytest.raises(Abandoned):
        boost(Z, Y, TRAIN, VALID, seed=1, threads=1, on_round=stop)
    assert len(rounds) == 3
