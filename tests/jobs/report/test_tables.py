"""features, shap_values and groups: the tables that analysts read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.report.tables import features_table, groups_table, shap_values_table, write_tables
from jobs.stages import Stages
from tests.jobs.mixed_drop import learn_quietly, mixed_dataset, mixed_problem
from tests.jobs.tables import categories, counts, csr_of, dataset_of, draw_labels, problem_of

Run = tuple[Dataset, Learned, Stages]

OF_KEPT = ["rank", "mean_abs_shap", "shap_low", "shap_high", "share", "gain", "score_z", "q_value", "stability"]
CONTRACT = ["feature", "kind", "status", *OF_KEPT[:5], "direction", "coverage", "mean", "deviation", *OF_KEPT[5:]]
CONTRACT += ["kept_for", "correlation", "flags"]


@pytest.fixture
def features(mixed_run: Run) -> pd.DataFrame:
    _, learned, _ = mixed_run
    return features_table(learned)


def row(features: pd.DataFrame, name: str) -> pd.Series:
    return features.set_index("feature").loc[name]


def test_every_column_of_the_drop_has_exactly_one_row(mixed_run: Run, features: pd.DataFrame) -> None:
    data = mixed_run[0]
    wanted = sorted([*data.names, *(column.name for column in data.categorical)])
    assert sorted(features["feature"]) == wanted
    assert features.columns.tolist() == CONTRACT


def test_moments_are_those_of_all_rows_before_scaling(mixed_run: Run, features: pd.DataFrame) -> None:
    data = mixed_run[0]
    for name in ("boss_kills", "boss_kills_twin", "a_leak", "noise_03"):
        values = np.log1p(data.X[:, [data.names.index(name)]].toarray().astype(float))
        assert row(features, name)["mean"] == pytest.approx(values.mean(), rel=1e-5)
        assert row(features, name)["deviation"] == pytest.approx(values.std(), rel=1e-5)
    others = features[features["status"].isin(["constant", "rare"]) | (features["kind"] != "numeric")]
    assert others[["mean", "deviation"]].isna().all(axis=None)


def test_every_fate_has_its_status(features: pd.DataFrame) -> None:
    assert {name: row(features, name)["status"] for name in ("always", "never", "hardly", "server")} == {
        "always": "constant",
        "never": "constant",
        "hardly": "rare",
        "server": "constant",
    }
    assert set(features["status"]) == {"selected", "not_selected", "pruned", "constant", "rare"}
    kinds = features.set_index("feature")["kind"]
    assert kinds[kinds == "categorical"].index.sort_values().tolist() == ["guild", "server", "town"]
    assert set(kinds) == {"numeric", "categorical"}


def test_a_categorical_column_whose_levels_are_all_rare_is_rare_and_not_constant() -> None:
    X = counts(3, 300, 4, (0.3, 0.5))
    names = categories("name", [f"user {k}" for k in range(300)])
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 4), (names, categories("empty", [None] * 300)))
    learned, _ = learn_quietly(data, problem_of(net={"d_block": 8, "epochs": 1}))
    features = features_table(learned)
    assert (row(features, "name")["status"], row(features, "empty")["status"]) == ("rare", "constant")


def test_a_twin_names_the_column_that_stands_for_it(features: pd.DataFrame) -> None:
    pruned = features[features["status"] == "pruned"].set_index("feature")
    assert pruned["kept_for"].to_dict() == {"boss_kills_twin": "boss_kills"}
    assert pruned["correlation"].to_dict() == {"boss_kills_twin": pytest.approx(1, abs=0.1)}
    others = features[features["status"] != "pruned"]
    assert others["kept_for"].isna().all()
    assert others["correlation"].isna().all()


def test_what_does_not_apply_is_null(features: pd.DataFrame) -> None:
    is_kept = features["status"].isin(["selected", "not_selected"])
    assert features.loc[~is_kept, [*OF_KEPT, "direction"]].isna().all(axis=None)
    assert features.loc[is_kept, OF_KEPT].notna().all(axis=None)
    kept = features[is_kept]
    assert kept["direction"].isna().tolist() == (kept["kind"] == "categorical").tolist()


def test_ranked_columns_come_first_then_the_others_by_name(features: pd.DataFrame) -> None:
    n_kept = int(features["rank"].notna().sum())
    assert features["rank"].tolist()[:n_kept] == list(range(1, n_kept + 1))
    is_selected = (features["status"][:n_kept] == "selected").tolist()
    assert is_selected == sorted(is_selected, reverse=True)
    rest = features["feature"].tolist()[n_kept:]
    assert rest == sorted(rest) == ["always", "boss_kills_twin", "hardly", "never", "server"]


def test_numbers_are_what_they_say(mixed_run: Run, features: pd.DataFrame) -> None:
    data = mixed_run[0]
    kept = features[features["rank"].notna()]
    assert kept["share"].sum() == pytest.approx(1)
    assert (kept["shap_low"] <= kept["mean_abs_shap"]).all()
    assert (kept["mean_abs_shap"] <= kept["shap_high"]).all()
    assert ((kept["q_value"] <= 0.1) == (kept["status"] == "selected")).all()
    assert kept["stability"].between(0, 1).all()
    for name, wanted in (("boss_kills", 1), ("item_found", -1)):
        assert row(features, name)["direction"] * wanted > 0.75
    dense = pd.DataFrame(data.X.toarray(), columns=list(data.names))
    for name in data.names:
        assert row(features, name)["coverage"] == pytest.approx((dense[name] != 0).mean())
    town = next(column for column in data.categorical if column.name == "town")
    assert row(features, "town")["coverage"] == pytest.approx((town.codes >= 0).mean())


def test_true_columns_are_selected_behind_the_leak_and_the_leak_is_flagged(features: pd.DataFrame) -> None:
    assert features["feature"][0] == "a_leak"
    assert {name: flags for name, flags in zip(features["feature"], features["flags"], strict=True) if flags} == {
        "a_leak": ["leak_suspect", "dominant"]
    }


def test_a_total_of_selected_columns_is_selected_behind_them_and_flagged() -> None:
    random = np.random.default_rng(3)
    parts, noise = random.poisson(0.6, (1500, 3)), random.poisson(0.4, (1500, 5))
    X = csr_of(np.column_stack([parts, parts.sum(axis=1), noise]).astype(np.float32))
    data = dataset_of(X, draw_labels((parts - 0.6) @ [1.2, -1.2, 1.2], 4))
    learned, _ = learn_quietly(data, problem_of(net={"d_block": 8, "epochs": 2}, scale={"log1p": False}))
    selected = features_table(learned).query("status == 'selected'")
    assert set(selected["feature"][:3]) == set(data.names[:3])
    assert selected["feature"].tolist()[3:] == [data.names[3]]
    assert selected["flags"].tolist() == [[], [], [], ["redundant"]]


def test_attributions_of_a_row_add_up_to_its_logit_within_the_gap(mixed_run: Run) -> None:
    data, learned, _ = mixed_run
    table = shap_values_table(learned, "user_id")
    assert table.columns.tolist() == ["user_id", "feature", "value", "level", "shap"]
    sums = table.groupby("user_id")["shap"].sum()
    assert len(sums) == learned.summary.n_rows == 100
    assert table.groupby("user_id")["feature"].apply(lambda names: names.isna().sum()).eq(1).all()
    place = {identity: k for k, identity in enumerate(data.ids.tolist())}
    gaps = []
    for number, fold in enumerate(learned.ensemble.folds):
        rows = np.array([place[i] for i in sums.index if place[i] in set(fold.held_out.tolist())])
        f = fold.net.logits(learned.columns.design.Z, rows)
        seen = fold.net.logits(learned.columns.design.Z, fold.seen)
        rest = f - sums[data.ids[rows]].to_numpy()  # mean f of the background, the same for all rows of a fold
        assert np.ptp(rest) <= 2 * learned.summary.gap_max + 1e-4, number
        assert seen.min() < rest.mean() < seen.max()
        gaps.append(rest.std())
    assert learned.summary.gap_max < 0.1 * learned.summary.spread


def test_single_values_are_those_of_the_drop(mixed_run: Run) -> None:
    data, learned, _ = mixed_run
    table = shap_values_table(learned, "user_id")
    dense = pd.DataFrame(data.X.toarray(), columns=list(data.names), index=data.ids)
    numeric = table[table["value"].notna()]
    assert [dense.loc[i, name] for i, name in zip(numeric["user_id"], numeric["feature"], strict=True)] == numeric[
        "value"
    ].tolist()
    kept = [name for name in learned.columns.design.columns if name in data.names]
    assert len(numeric) == int((dense.loc[table["user_id"].unique(), kept] != 0).sum(axis=None))
    for column in data.categorical:
        own = table[table["feature"] == column.name]
        texts = dict(zip(data.ids.tolist(), [(*column.levels, None)[code] for code in column.codes], strict=True))
        levels = [None if pd.isna(level) else level for level in own["level"]]
        assert levels == [texts[identity] for identity in own["user_id"]]
        assert own["value"].isna().all()
        assert len(own) == (0 if column.name == "server" else learned.summary.n_rows)


def test_rows_are_explained_by_nets_that_never_saw_them(mixed_run: Run) -> None:
    data, learned, _ = mixed_run
    rows = np.unique(learned.summary.entries.row)
    assert not np.isin(rows, learned.split.test).any()
    shares = [np.isin(rows, learned.split.held_out_rows_of(fold)).sum() for fold in range(len(learned.split.folds))]
    assert shares == [34, 33, 33]
    assert len(data.ids[rows]) == 100


def test_groups_are_kept_columns_with_their_twins(features: pd.DataFrame) -> None:
    groups = groups_table(features)
    (only,) = groups.to_dict("records")
    head = row(features, "boss_kills")
    assert only["group"] == "boss_kills"
    assert only["members"] == ["boss_kills", "boss_kills_twin"]
    assert (only["n_members"], only["status"], only["gain"]) == (2, head["status"], head["gain"])


def test_files_hold_what_the_tables_say(mixed_run: Run, features: pd.DataFrame, tmp_path: Path) -> None:
    _, learned, _ = mixed_run
    write_tables(tmp_path, features, learned, "user_id")
    read = pd.read_parquet(tmp_path / "features.parquet")
    assert read["feature"].tolist() == features["feature"].tolist()
    assert [list(flags) for flags in read["flags"]] == features["flags"].tolist()
    text = pd.read_csv(tmp_path / "features.csv")
    assert text.columns.tolist() == CONTRACT
    assert text["flags"].dropna().tolist() == ["leak_suspect;dominant"]
    np.testing.assert_allclose(text["gain"], features["gain"].astype(float))
    values = pd.read_parquet(tmp_path / "shap_values.parquet")
    assert len(values) == len(learned.summary.entries.phi)
    assert pd.read_parquet(tmp_path / "groups.parquet")["group"].tolist() == ["boss_kills"]


def test_learning_twice_writes_the_same_bytes(mixed_run: Run, tmp_path: Path) -> None:
    _, learned, _ = mixed_run
    again, _ = learn_quietly(mixed_dataset(), mixed_problem(), threads=1)
    for name, one in (("first", learned), ("again", again)):
        (tmp_path / name).mkdir()
        write_tables(tmp_path / name, features_table(one), one, "user_id")
    for file in ("features.csv", "features.parquet", "shap_values.parquet", "groups.parquet"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def test_a_drop_without_twins_or_categories_has_no_groups(tmp_path: Path) -> None:
    X = counts(3, 300, 4, (0.3, 0.5))
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 4))
    learned, _ = learn_quietly(data, problem_of(net={"d_block": 8, "epochs": 1}))
    features = features_table(learned)
    write_tables(tmp_path, features, learned, "user_id")
    assert len(features) == 4
    assert len(pd.read_parquet(tmp_path / "groups.parquet")) == 0


def test_a_drop_of_categories_alone_is_a_drop(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    colour = random.choice(["red", "green"], 300).tolist()
    size = random.choice(["S", "M", None], 300).tolist()
    y = draw_labels(np.where(np.array(colour) == "red", 1.0, -1.0), 6)
    pair = (categories("colour", colour), categories("size", size))
    data = dataset_of(csr_of(np.zeros((300, 0), np.float32)), y, pair)
    learned, _ = learn_quietly(data, problem_of(net={"d_block": 8, "epochs": 1}))
    features = features_table(learned)
    write_tables(tmp_path, features, learned, "user_id")
    assert features["feature"].tolist() == ["colour", "size"]
    assert features["status"][0] == "selected"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_name_is_a_formula_in_the_csv(name: str, tmp_path: Path) -> None:
    X = counts(3, 300, 3, (0.3, 0.5))
    data = dataset_of(X, draw_labels(X.toarray()[:, 0] - 1, 4))
    renamed = replace(data, names=(name, *data.names[1:]))
    learned, _ = learn_quietly(renamed, problem_of(net={"d_block": 8, "epochs": 1}))
    write_tables(tmp_path, features_table(learned), learned, "user_id")
    written = pd.read_csv(tmp_path / "features.csv", dtype=str)["feature"].tolist()
    assert f"'{name}" in written
    assert not any(text.startswith(tuple("=+-@")) for text in written)
    assert name in pd.read_parquet(tmp_path / "features.parquet")["feature"].tolist()


def test_a_pruned_column_keeps_its_flags() -> None:
    random = np.random.default_rng(5)
    dense = counts(6, 1500, 8, (0.2, 0.5)).toarray()
    y = draw_labels(dense[:, 0] - 1.0, 7)
    dense[:, 3] = np.where(random.random(1500) < 0.02, 1.0, y)  # a proxy that is commoner than the copy below
    dense[:, 5] = y
    data = dataset_of(csr_of(dense), y, names=[f"c{k}" for k in range(8)])
    learned, _ = learn_quietly(data, problem_of(net={"d_block": 8, "epochs": 2}, explain={"rows": 10, "background": 0}))
    copy = row(features_table(learned), "c5")
    assert (copy["status"], copy["kept_for"], list(copy["flags"])) == ("pruned", "c3", ["leak_suspect"])
