"""The demonstration: what is planted, how it is written, what is said of what was found."""

import io
import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from config import ConfigError
from service.commands import demo
from service.demonstration.planted import plan, sparse_counts
from service.demonstration.players import BLOCK_ROWS, DENSE_WEIGHTS, make_players
from service.demonstration.verdict import judge, mark
from service.demonstration.writing import write_parts
from service.exits import Exit
from storage import open_store
from storage.keys import MARKER
from tests.service.process import make_app

ROWS, COLUMNS = 5_000, 240


def test_the_columns_are_as_the_plan_says() -> None:
    truth = plan(COLUMNS, DENSE_WEIGHTS, 3)
    X = sparse_counts(truth, ROWS).toarray()
    assert X.shape == (ROWS, COLUMNS)
    assert len(set(truth.names)) == COLUMNS
    at = {name: index for index, name in enumerate(truth.names)}
    assert set(X[:, at[truth.constant]]) == {1}
    assert set(X[:, at[truth.zero]]) == {0}
    rest = [at[name] for name in truth.names if name not in (truth.constant, truth.zero)]
    np.testing.assert_allclose((X[:, rest] > 0).mean(axis=0), truth.densities[rest], atol=0.03)
    assert truth.densities.min() >= 0.003
    assert truth.densities.max() <= 0.3


def test_twins_are_near_duplicates_of_planted_columns_and_of_noise() -> None:
    truth = plan(COLUMNS, DENSE_WEIGHTS, 3)
    X = np.log1p(sparse_counts(truth, ROWS).toarray())
    at = {name: index for index, name in enumerate(truth.names)}
    correlations = [np.corrcoef(X[:, at[twin]], X[:, at[original]])[0, 1] for twin, original in truth.twins.items()]
    assert min(correlations) > 0.95
    assert {original in truth.planted for original in truth.twins.values()} == {True, False}
    assert truth.planted.isdisjoint(truth.twins)


def test_the_label_follows_from_what_is_planted() -> None:
    players = make_players(ROWS, COLUMNS)
    assert abs(players.label.mean() - 0.4) < 0.03
    assert 0.75 < players.best_auc < 0.95
    assert len(players.truth.effects) == 20
    assert len(players.truth.pairs) == 3


def test_the_same_seed_makes_the_same_users() -> None:
    one, other = make_players(600, 60), make_players(600, 60)
    pd.testing.assert_frame_equal(next(one.blocks()), next(other.blocks()))


def test_a_drop_is_written_in_parts_with_the_truth_beside_it_and_the_marker_last(tmp_path: Path) -> None:
    store, players = open_store(str(tmp_path)), make_players(BLOCK_ROWS + 500, 60)
    drop = write_parts(store, players)
    parts = [info.key for info in store.list(drop.folder)]
    assert [MARKER in key for key in parts] == [False, False]
    drop.close()
    table = pd.concat([pd.read_parquet(io.BytesIO(store.read(key)[0])) for key in parts])
    assert list(table.columns[:2]) == ["user_id", "active"]
    assert table.shape == (BLOCK_ROWS + 500, 2 + 8 + 60)
    assert table["user_id"].is_unique
    truth = json.loads(store.read(drop.folder.rstrip("/") + ".truth.json")[0])
    assert set(truth["planted"]) == players.truth.planted
    assert store.head(drop.folder + MARKER).size == 0


def test_what_was_found_is_counted_by_what_it_is() -> None:
    truth = plan(COLUMNS, DENSE_WEIGHTS, 3)
    twin = next(twin for twin, original in truth.twins.items() if original in truth.planted)
    noise = next(name for name in truth.names if name not in truth.planted and name not in truth.twins)
    features = pd.DataFrame(
        {"feature": ["login_days", twin, noise, "max_level"], "status": ["selected"] * 3 + ["rare"]}
    )
    verdict = judge(truth, features)
    assert (verdict.planted, verdict.twins, verdict.noise, verdict.n_planted) == (1, 1, 1, 23)
    assert mark(truth, [noise])[noise] == "noise"


def test_the_demonstration_runs_twice_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [demo.execute(folder=tmp_path / "d emo", rows=500, features=50, make_app=make_app) for _ in range(2)]
    assert codes == [Exit.DONE, Exit.DONE]
    printed = capsys.readouterr().out
    (again, _) = [line for line in printed.splitlines() if "The table again: " in line]
    assert shlex.split(again)[-2:] == ["--results", f"{tmp_path}/d emo/results/"]
    assert printed.count("1 selected columns 0 are planted") == 2
    assert len(list((tmp_path / "d emo/results/return/runs").iterdir())) == 2


def test_the_demonstration_does_not_mix_with_what_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(ConfigError, match="files that no demonstration made"):
        demo.execute(folder=tmp_path, rows=500, features=50, make_app=make_app)
    with pytest.raises(ConfigError, match=r"one of ad_response, .*return"):
        demo.execute("nothing", folder=tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_drop_can_be_produced_for_another_service(s3_root: str) -> None:
    assert demo.execute(rows=500, features=50, produce=s3_root) == Exit.DONE
    keys = [info.key.partition("/")[2] or "truth" for info in open_store(s3_root).list()]
    assert [key.partition("-")[0] for key in keys] == ["truth", "_SUCCESS", "part"]
