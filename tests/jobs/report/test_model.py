"""The model of a run, read back from its two files alone, says what the ensemble said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.model import model_of
from jobs.report.model import write_model
from jobs.stages import Stages
from tests.jobs.mixed_drop import mixed_problem

Weights = dict[str, np.ndarray]


def score(folder: Path, raw: dict[str, np.ndarray], texts: dict[str, list[str | None]]) -> np.ndarray:
    """Return logits of raw rows: numpy, safetensors and JSON, nothing of this repository."""
    model = json.loads((folder / "model.json").read_text())
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / "weights.safetensors").items()}
    Z = np.column_stack([raw[name] for name in model["numeric"]]).astype(np.float64)
    if model["log1p"]:
        Z = np.sign(Z) * np.log1p(np.abs(Z))
    parts = [np.where(Z == 0, 0, (Z - np.array(model["shift"])) * np.array(model["factor"]))]
    for column in model["categorical"]:
        levels, n_codes = column["levels"], len(column["levels"]) + 1 + column["has_null"]
        of_null = n_codes - 1
        place = [
            levels.index(text) if text in levels else of_null if text is None else len(levels)
            for text in texts[column["name"]]
        ]
        parts.append(np.eye(n_codes)[place])
    return np.mean([logits(weights, model, k, np.hstack(parts)) for k in range(len(model["nets"]))], axis=0)


def logits(weights: Weights, model: dict[str, Any], number: int, Z: np.ndarray) -> np.ndarray:
    net = model["nets"][number]
    own = {
        name.removeprefix(f"net{number}."): value for name, value in weights.items() if name.startswith(f"net{number}.")
    }

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        mean, variance = own[f"body.{name}.running_mean"], own[f"body.{name}.running_var"]
        return (x - mean) / np.sqrt(variance + 1e-5) * own[f"body.{name}.weight"] + own[f"body.{name}.bias"]

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ own[f"body.{name}.weight"].T + own[f"body.{name}.bias"]

    h = Z @ own["codes"]
    for block in range(model["body"]["n_blocks"]):
        name = f"blocks.{block}"
        h = h + linear(f"{name}.narrow", np.maximum(linear(f"{name}.widen", norm(f"{name}.norm", h)), 0))
    deep = linear("last", np.maximum(norm("norm", h), 0))[:, 0]
    return net["slope"] * (deep + Z @ own["linear"] + net["intercept"]) + net["shift"]


def test_the_files_alone_give_the_logits_of_the_ensemble(
    mixed_run: tuple[Dataset, Learned, Stages], tmp_path: Path
) -> None:
    data, learned, _ = mixed_run
    write_model(tmp_path, model_of(learned, mixed_problem()))
    dense = data.X.toarray()
    raw = {name: dense[:, k] for k, name in enumerate(data.names)}
    texts = {c.name: [(*c.levels, None)[code] for code in c.codes] for c in data.categorical}
    found = score(tmp_path / "model", raw, texts)
    wanted = learned.ensemble.logits(np.arange(data.n_rows))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert any(fold.net.best_epoch > 0 for fold in learned.ensemble.folds)  # the deep part has something to say


def test_the_description_names_only_what_scoring_needs(
    mixed_run: tuple[Dataset, Learned, Stages], tmp_path: Path
) -> None:
    _, learned, _ = mixed_run
    write_model(tmp_path, model_of(learned, mixed_problem()))
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    assert model["numeric"] + [column["name"] for column in model["categorical"]] == list(
        learned.columns.design.columns
    )
    assert (model["classes"], model["threshold"]) == (["0", "1"], learned.judgement.threshold)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.json", "weights.safetensors"]
