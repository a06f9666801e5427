# pyright: reportUnknownVariableType=false
# safetensors leaves a type argument of save_file open.
"""The model of a run as safetensors and JSON: enough to score new rows, nothing that can run code."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from jobs.data.dataset import Dataset
from jobs.learn import Learned

SCHEMA = 2


def write_model(folder: Path, data: Dataset, learned: Learned) -> None:
    """Write model/weights.safetensors (all nets) and model/model.json (columns, scale, levels, shape, calibration)."""
    target = folder / "model"
    target.mkdir()
    save_file(_weights(learned), str(target / "weights.safetensors"))
    (target / "model.json").write_text(json.dumps(_description(data, learned), indent=1, sort_keys=True))


def _weights(learned: Learned) -> dict[str, np.ndarray]:
    weights: dict[str, np.ndarray] = {}
    for number, fold in enumerate(learned.ensemble.folds):
        weights[f"net{number}.codes"] = fold.net.W
        weights[f"net{number}.linear"] = fold.net.linear.w
        for name, value in fold.net.body.state_dict().items():
            weights[f"net{number}.body.{name}"] = value.numpy()
    return weights


def _description(data: Dataset, learned: Learned) -> dict[str, object]:
    columns, shape = learned.columns, learned.plan.shape
    kept = columns.pruning.kept
    return {
        "schema": SCHEMA,
        "task": learned.task.kind,
        "classes": list(data.classes),
        "target": asdict(learned.target),
        "threshold": learned.judgement.threshold,
        "log1p": columns.scaler.log1p,
        "numeric": [data.names[k] for k in kept],
        "shift": columns.scaler.shift[kept].tolist(),
        "factor": columns.scaler.factor[kept].tolist(),
        "categorical": [
            {"name": vocabulary.name, "levels": list(vocabulary.levels)}
            for vocabulary in columns.vocabularies
            if not vocabulary.is_constant
        ],
        "body": {"n_blocks": shape.n_blocks, "d_block": shape.d_block, "d_hidden_factor": shape.d_hidden_factor},
        "nets": [
            {
                "intercept": np.atleast_1d(fold.net.linear.b).tolist(),
                "slope": fold.calibration.slope,
                "shift": fold.calibration.intercept,
            }
            for fold in learned.ensemble.folds
        ],
    }
