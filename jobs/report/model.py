# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# safetensors leaves a type argument of save_file open, torch from_numpy untyped.
"""The model of a run as safetensors and JSON: enough to score new rows, nothing that can run code."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from jobs.data.dates import Calendar
from jobs.data.design import Vocabulary
from jobs.data.knots import Knots
from jobs.data.target import Target
from jobs.model import ItemColumn, Model, TrainedNet
from jobs.net.encoders import Encoder, EncoderShape
from jobs.net.linear import LinearModel
from jobs.net.resnet import Body, BodyShape
from jobs.net.tasks import Task
from jobs.net.training import Net
from jobs.selection.calibration import Calibration

SCHEMA = 4
_SIZES = ("n_blocks", "d_block", "d_hidden_factor", "n_factors", "n_factored")
WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"


class UnknownModel(ValueError):
    """The files are no model that this code can read."""


def write_model(folder: Path, model: Model) -> None:
    """Write model/weights.safetensors (all nets) and model/model.json (columns, scale, levels, shape, calibration)."""
    target = folder / "model"
    target.mkdir()
    save_file(_weights(model), str(target / WEIGHTS))
    (target / DESCRIPTION).write_text(json.dumps(_description(model), indent=1, sort_keys=True))


def read_model(folder: Path) -> Model:
    """Read what `write_model` wrote into folder/model.

    Raises:
        UnknownModel: the files are something else, or of a version that this code does not know.
    """
    try:
        described: dict[str, Any] = json.loads((folder / "model" / DESCRIPTION).read_text())
        if described["schema"] != SCHEMA:
            raise UnknownModel(f"schema {described['schema']} of a model is not known: expected {SCHEMA}")
        return _model(described, load_file(folder / "model" / WEIGHTS))
    except (KeyError, TypeError, RuntimeError, json.JSONDecodeError) as error:
        raise UnknownModel(f"it is not a model ({error!r})") from error


def _weights(model: Model) -> dict[str, np.ndarray]:
    weights: dict[str, np.ndarray] = {}
    for number, trained in enumerate(model.nets):
        net = trained.net
        for column, encoder in trained.encoders.items():
            for name, value in encoder.state_dict().items():
                weights[f"net{number}.encoder.{column}.{name}"] = value.numpy()
        weights[f"net{number}.codes"] = net.W
        weights[f"net{number}.linear"] = net.linear.w
        for name, value in net.body.state_dict().items():
            weights[f"net{number}.body.{name}"] = value.numpy()
    return weights


def _description(model: Model) -> dict[str, object]:
    shape = model.shape
    return {
        "schema": SCHEMA,
        "id": model.id,
        "task": model.task.kind,
        "classes": list(model.classes),
        "target": asdict(model.target),
        "threshold": model.threshold,
        "log1p": model.log1p,
        "numeric": list(model.numeric),
        "shift": model.shift.tolist(),
        "factor": model.factor.tolist(),
        "knots": {"starts": model.knots.starts.tolist(), "at": model.knots.at.tolist()},
        "categorical": [
            {"name": column.name, "levels": list(column.levels), "has_null": column.has_null}
            for column in model.categorical
        ],
        "sequences": [
            {
                "name": column.vocabulary.name,
                "levels": list(column.vocabulary.levels),
                "delimiter": column.delimiter,
                "max_length": column.max_length,
                "encoder": _encoder_of(model, column.vocabulary.name),
            }
            for column in model.sequences
        ],
        "dates": [asdict(calendar) for calendar in model.dates],
        "until": model.until,
        "unread": sorted(model.unread),
        "body": {name: getattr(shape, name) for name in _SIZES},
        "nets": [
            {
                "intercept": np.atleast_1d(trained.net.linear.b).tolist(),
                "slope": trained.calibration.slope,
                "shift": trained.calibration.intercept,
            }
            for trained in model.nets
        ],
    }


def _encoder_of(model: Model, column: str) -> dict[str, object] | None:
    """What the encoders of a column are; None if it has none."""
    found = [trained.encoders[column] for trained in model.nets if column in trained.encoders]
    return asdict(found[0].shape) if found else None


def _model(described: dict[str, Any], weights: dict[str, np.ndarray]) -> Model:
    task = Task(described["task"], max(2, len(described["classes"])))
    shape = BodyShape(**described["body"])
    return Model(
        id=described["id"],
        task=task,
        classes=tuple(described["classes"]),
        target=Target(**described["target"]),
        threshold=described["threshold"],
        numeric=tuple(described["numeric"]),
        log1p=described["log1p"],
        shift=np.array(described["shift"], np.float64),
        factor=np.array(described["factor"], np.float64),
        knots=Knots(np.array(described["knots"]["starts"], np.int64), np.array(described["knots"]["at"], np.float32)),
        categorical=tuple(_vocabulary(column, has_null=column["has_null"]) for column in described["categorical"]),
        sequences=tuple(
            ItemColumn(_vocabulary(column), column["delimiter"], column["max_length"])
            for column in described["sequences"]
        ),
        dates=tuple(
            Calendar(**column | {"cycles": tuple(column["cycles"]), "knots": tuple(column["knots"])})
            for column in described["dates"]
        ),
        until=described["until"],
        unread=frozenset(described["unread"]),
        shape=shape,
        nets=tuple(
            TrainedNet(
                _net(weights, number, net, shape, task),
                _encoders(weights, number, described["sequences"]),
                Calibration(net["slope"], tuple(net["shift"]) if task.n_outputs > 1 else net["shift"]),
            )
            for number, net in enumerate(described["nets"])
        ),
    )


def _encoders(weights: dict[str, np.ndarray], number: int, sequences: Sequence[dict[str, Any]]) -> dict[str, Encoder]:
    found: dict[str, Encoder] = {}
    for column in sequences:
        if column["encoder"] is not None:
            encoder = Encoder(EncoderShape(**column["encoder"]), len(column["levels"]) + 1, column["max_length"], 0)
            encoder.load_state_dict(_state(weights, f"net{number}.encoder.{column['name']}.", encoder))
            found[column["name"]] = encoder.eval().requires_grad_(requires_grad=False)
    return found


def _state(weights: dict[str, np.ndarray], prefix: str, module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state of a module; not by prefix alone: a column `clicks.recent` begins as the column `clicks` does."""
    return {name: torch.from_numpy(weights[prefix + name]) for name in module.state_dict()}


def _vocabulary(column: dict[str, Any], *, has_null: bool = False) -> Vocabulary:
    """Only the codes count here, not on how many rows they were."""
    levels = tuple(column["levels"])
    return Vocabulary(column["name"], levels, (0,) * (len(levels) + 1 + has_null), 0, has_null)


def _net(weights: dict[str, np.ndarray], number: int, net: dict[str, Any], shape: BodyShape, task: Task) -> Net:
    body = Body(shape, 0, task.n_outputs)
    body.load_state_dict(_state(weights, f"net{number}.body.", body))
    body.requires_grad_(requires_grad=False)
    intercept = np.array(net["intercept"], np.float64)
    linear = LinearModel(weights[f"net{number}.linear"], intercept if task.n_outputs > 1 else float(intercept[0]))
    return Net(linear, weights[f"net{number}.codes"], body, ())
