"""`winnow score`: every row of a drop in its order, by the model that a run left, whatever the task."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from service.commands import call
from service.exits import Exit
from storage.streaming import BATCH_ROWS

N = 700
NET = "net: {d_block: 8, n_blocks: 1, epochs: 3}\nexplain: {rows: 10, background: 0}\nsplit: {folds: 2}\n"


def frame(seed: int, n: int = N) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.poisson(0.7, (n, 6)), columns=[f"c{k}" for k in range(6)])
    table["town"] = random.choice(["a", "b", None], n)
    table["visited"] = [",".join(random.choice(list("xyz"), random.integers(0, 4))) for _ in range(n)]
    table["age"] = random.integers(18, 80, n)
    score = (
        table["c0"] - table["c1"] + (table["town"] == "a") + table["visited"].str.count("x") + random.normal(0, 0.5, n)
    )
    table["number"] = 10 * score
    table["label"] = np.digitize(score, [0.3, 1.2])
    table["active"] = (score > 0.5).astype(int)
    table["user_id"] = random.permutation(n) + 1000
    table["asked_at"] = pd.Timestamp("2026-11-27") - pd.to_timedelta(random.integers(0, 7, n), unit="D")
    joined = table["asked_at"] - pd.to_timedelta(random.uniform(0, 300, n).round(4), unit="D")
    table["joined_at"] = joined.mask(random.random(n) < 0.1)
    return table


def write_drop(folder: Path, table: pd.DataFrame, parts: int = 2) -> Path:
    folder.mkdir(parents=True)
    for number, rows in enumerate(np.array_split(np.arange(len(table)), parts)):
        table.iloc[rows].to_parquet(folder / f"part-{number:05d}.parquet", index=False, row_group_size=100)
    (folder / "_SUCCESS").touch()
    return folder


def trained(home: Path, label: str, task: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Train on a drop; return the folder of the run."""
    others = sorted({"number", "label", "active"} - {label})
    table = f"{{id: user_id, label: {label}, ignore: {json.dumps(others)}, categorical: [town]"
    (home / "problem.yaml").write_text(
        f"problem: return\ndrops: x\nresults: y\ntask: {task}\n"
        f"table: {table}, time: asked_at, dates: [joined_at], "
        f"sequences: {{visited: {{min_count: 5}}}}}}\n{NET}",
        encoding="utf-8",
    )
    drop = write_drop(home / "drop", frame(1))
    asked = {"drop": str(drop), "problem": home / "problem.yaml", "results": str(home / "results")}
    assert call("run", as_json=True, **asked) == Exit.DONE
    run_id = json.loads(capsys.readouterr().out)["run_id"]
    return str(home / "results/return/runs" / run_id)


@pytest.mark.parametrize(("label", "task"), [("active", "binary"), ("label", "multiclass"), ("number", "regression")])
def test_every_row_is_scored_in_the_order_of_the_drop(
    tmp_path: Path, label: str, task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, label, task, capsys)
    new = frame(2).drop(columns=["number", "label", "active"])
    new.loc[5, "town"] = "never seen"
    drop = write_drop(tmp_path / "new", new)
    out = tmp_path / "scores"
    assert call("score", as_json=True, drop=str(drop), model=run, out_url=str(out)) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["rows"]) == ("scored", N)
    found = pd.read_parquet(out / "predictions.parquet")
    as_csv = pd.read_csv(out / "predictions.csv", dtype={"label": str})
    pd.testing.assert_frame_equal(found, as_csv, check_dtype=False)
    assert found["user_id"].tolist() == new["user_id"].tolist()
    assert len(list(drop.iterdir())) == 3  # nothing is deleted
    truth = frame(2)
    if task == "binary":
        assert list(found) == ["user_id", "probability", "label"]
        assert found["probability"].between(0, 1).all()
        assert np.corrcoef(found["probability"], truth["active"])[0, 1] > 0.5
    elif task == "multiclass":
        probabilities = found[["probability_0", "probability_1", "probability_2"]]
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
        assert (found["label"].astype(int) == truth["label"]).mean() > 0.5
    else:
        assert np.corrcoef(found["value"], truth["number"])[0, 1] > 0.6


def test_the_way_a_drop_is_cut_changes_no_prediction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(3, 2 * BATCH_ROWS // 100)
    for name, parts in (("one", 1), ("four", 4)):
        drop = write_drop(tmp_path / name, new, parts)
        assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / f"out-{name}")) == Exit.DONE
    one, four = (pd.read_parquet(tmp_path / f"out-{name}/predictions.parquet") for name in ("one", "four"))
    pd.testing.assert_frame_equal(one, four)


def test_columns_that_a_drop_lacks_count_as_never_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(4, 50)
    lacking = write_drop(tmp_path / "lacking", new.drop(columns=["c2", "town", "visited", "joined_at"]))
    zero = write_drop(tmp_path / "zero", new.assign(c2=0, town=None, visited="", joined_at=None))
    found = []
    for drop in (lacking, zero):
        assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
        found.append(pd.read_parquet(tmp_path / "out/predictions.parquet"))
    pd.testing.assert_frame_equal(*found)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{home}", "the folder of a run"),
        ("{home}/results/return/runs/none", "where there is no commit"),
    ],
)
def test_what_is_no_run_is_told(tmp_path: Path, model: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    drop = write_drop(tmp_path / "new", frame(2, 20))
    asked = {"drop": str(drop), "model": model.format(home=tmp_path), "out_url": str(tmp_path / "out")}
    assert call("score", **asked) == Exit.USAGE
    assert message in " ".join(capsys.readouterr().err.split())


def test_rows_that_cannot_be_scored_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(2, 30)
    for name, table, message in (
        ("nan", new.assign(c0=np.where(new.index == 7, np.inf, new["c0"])), "'c0' is NaN, infinite"),
        ("nameless", new.drop(columns="user_id"), "names its rows by 'user_id'"),
        ("empty", new[:0], "no rows to score"),
    ):
        drop = write_drop(tmp_path / name, table, 1)
        assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.REJECTED
        assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out/predictions.parquet").exists()


def predictions(run: str, drop: Path, out: Path) -> pd.DataFrame:
    assert call("score", drop=str(drop), model=run, out_url=str(out)) == Exit.DONE
    return pd.read_parquet(out / "predictions.parquet")


def test_parts_of_several_types_are_read_in_the_types_of_the_drop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(5, 60)
    drop = write_drop(tmp_path / "one", new, 2)
    wanted = predictions(run, drop, tmp_path / "out")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    new[:30].to_parquet(mixed / "part-00000.parquet", index=False)
    of_floats = new[30:].assign(c0=new["c0"][30:].astype(float), user_id=new["user_id"][30:].astype("int32"))
    of_floats.to_parquet(mixed / "part-00001.parquet", index=False)
    (mixed / "_SUCCESS").touch()
    pd.testing.assert_frame_equal(predictions(run, mixed, tmp_path / "out2"), wanted)


def test_rows_without_ids_are_scored_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(5, 60).astype({"user_id": "Int64"})
    new.loc[:29, "user_id"] = pd.NA
    found = predictions(run, write_drop(tmp_path / "new", new, 2), tmp_path / "out")
    assert found["user_id"].isna().sum() == 30
    assert found["probability"].notna().all()


def test_a_column_that_a_folder_says_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(6, 40).assign(c0=3)
    wanted = predictions(run, write_drop(tmp_path / "plain", new, 1), tmp_path / "out")
    folder = tmp_path / "folders"
    write_drop(folder / "c0=3", new.drop(columns="c0"), 1)
    (folder / "c0=3/_SUCCESS").rename(folder / "_SUCCESS")
    pd.testing.assert_frame_equal(predictions(run, folder, tmp_path / "out2"), wanted)


def test_types_that_the_model_cannot_read_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(2, 30)
    for name, table, message in (
        ("text", new.assign(c0="abc"), "'c0' (string)"),
        ("list", new.assign(town=[["a"]] * 30), "'town' (list"),
        ("flat", new.assign(joined_at=20_000), "'joined_at' (int64)"),
        ("unwritten", new.assign(joined_at="tomorrow"), "'joined_at' stands under table.dates and holds text"),
        ("timeless", new.drop(columns="asked_at"), "counts days up to 'asked_at', which the drop does not have"),
        ("foreign", new[["user_id"]].assign(other=1), "has none of the 10 columns of the model"),
    ):
        drop = write_drop(tmp_path / name, table, 1)
        assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.REJECTED
        assert message in " ".join(capsys.readouterr().err.split())
    drop = write_drop(tmp_path / "torn", new, 1)
    (drop / "part-00000.parquet").write_bytes(b"PAR1 and nothing")
    (drop / "_SUCCESS").touch()
    assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.REJECTED
    assert call("score", drop=str(drop), model=run, out_url=str(drop / "out")) == Exit.USAGE
    assert call("score", drop=str(tmp_path / "nowhere"), model=run, out_url=str(tmp_path / "out")) == Exit.REJECTED


def test_what_a_drop_lacks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    drop = write_drop(tmp_path / "new", frame(2, 30).drop(columns=["c1", "town"]))
    assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
    assert "2 columns of the model are not in the drop, and never happened: c1, town" in capsys.readouterr().out


def test_columns_whose_values_are_all_strange_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path, "active", "binary", capsys)
    new = frame(2, 30).assign(town=lambda table: table["town"].map({"a": 1, "b": 2}))
    drop = write_drop(tmp_path / "new", new)
    assert call("score", as_json=True, drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["strange"] == ["town"]
    assert call("score", drop=str(drop), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
    assert "1 columns have no value that the model knows" in " ".join(capsys.readouterr().out.split())


def test_a_long_drop_without_the_features_of_the_model_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lines(table: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
        wide = table[["user_id", "active", *(f"c{k}" for k in range(6))]]
        long = wide.melt("user_id", var_name="feature", value_name="value").astype({"value": float})
        return long.assign(feature=long["feature"].map(lambda name: name if name == "active" else prefix + name))

    (tmp_path / "problem.yaml").write_text(
        f"problem: return\ndrops: x\nresults: y\ntable: {{id: user_id, label: active, shape: long}}\n{NET}"
    )
    drop = write_drop(tmp_path / "drop", lines(frame(1)))
    asked = {"drop": str(drop), "problem": tmp_path / "problem.yaml", "results": str(tmp_path / "results")}
    assert call("run", as_json=True, **asked) == Exit.DONE
    run = str(tmp_path / "results/return/runs" / json.loads(capsys.readouterr().out)["run_id"])
    fewer = write_drop(tmp_path / "fewer", lines(frame(2)).query("feature not in ['c2', 'active']"))
    assert call("score", as_json=True, drop=str(fewer), model=run, out_url=str(tmp_path / "out")) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["missing"] == ["c2"]
    other = write_drop(tmp_path / "other", lines(frame(2), "other_"))
    assert call("score", drop=str(other), model=run, out_url=str(tmp_path / "out")) == Exit.REJECTED
    assert "has none of the" in " ".join(capsys.readouterr().err.split())
