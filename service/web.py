"""The HTTP interface of `winnow serve`: predictions, and why, from the newest model of each problem."""

from typing import Annotated, Any

import numpy as np
from fastapi import Body, FastAPI, HTTPException, Query
from pydantic import BaseModel, Field

from jobs.model import Model
from jobs.net.threads import compute_on
from service.models import Models, NoModel, UnfitRows, rows_of
from storage.table import Table

Columns = Annotated[
    dict[str, list[Any]],
    Body(
        description="Column -> values, one for each row. Columns that are left out never happened.",
        examples=[{"5_95": [3, 0], "town": ["Aden", None]}],
    ),
]


class Answer(BaseModel):
    """What a model says of some rows."""

    problem: str
    run_id: str = Field(description="the run whose model has answered")
    predictions: dict[str, list[Any]] = Field(description="probability and label; one for each class; or value")
    attributions: list[dict[str, float]] | None = Field(
        default=None, description="logits by column, against a row in which nothing happened; largest first"
    )


class Known(BaseModel):
    """A model that can be asked."""

    problem: str
    run_id: str
    task: str
    classes: list[str]
    columns: int


def make_web(models: Models, threads: int = 1) -> FastAPI:
    """Return the application; each request computes on so many threads."""
    web = FastAPI(title="Winnow", description="Predictions from the newest committed run of each problem.")

    def known_models() -> list[Known]:
        """Name the models that can be asked."""
        found: list[Known] = []
        for problem in models.problems:
            try:
                known = models.newest(problem)
            except NoModel:
                continue
            model = known.model
            size = len(model.columns)
            found.append(
                Known(
                    problem=problem,
                    run_id=known.commit.run_id,
                    task=model.task.kind,
                    classes=list(model.classes),
                    columns=size,
                )
            )
        return found

    def predict(
        problem: str, columns: Columns, explain: Annotated[bool, Query(description="also say why")] = False
    ) -> Answer:
        """Predict some rows."""
        compute_on(threads)  # a request has a thread of its own, which has heard nothing of it
        try:
            known = models.newest(problem)
            table = rows_of(known.model, columns)
        except NoModel as error:
            raise HTTPException(404, str(error)) from error
        except UnfitRows as error:
            raise HTTPException(422, str(error)) from error
        said = {name: values.tolist() for name, values in known.model.predict(table).items()}
        why = attributions(known.model, table) if explain else None
        return Answer(problem=problem, run_id=known.commit.run_id, predictions=said, attributions=why)

    def health() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    web.add_api_route("/models", known_models, methods=["GET"])
    web.add_api_route("/models/{problem}/predict", predict, methods=["POST"])
    web.add_api_route("/health", health, methods=["GET"])
    return web


def attributions(model: Model, table: Table) -> list[dict[str, float]]:
    """Return the attributions of each row's non-zero columns; of several classes, to the one that is predicted."""
    outputs = np.zeros(len(table.ids), np.int64)
    if model.task.n_outputs > 1:
        outputs = model.logits(table).argmax(axis=1)
    names, found = model.columns, [dict[str, float]() for _ in outputs]
    for output in np.unique(outputs).tolist():
        phi = model.explain(table, output)
        for row in np.flatnonzero(outputs == output).tolist():
            own = slice(int(phi.indptr[row]), int(phi.indptr[row + 1]))
            pairs = zip(phi.indices[own].tolist(), phi.data[own].tolist(), strict=True)
            found[row] = {names[k]: value for k, value in sorted(pairs, key=lambda pair: -abs(pair[1]))}
    return found
