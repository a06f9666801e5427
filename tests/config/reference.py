"""docs/configuration.md, made from the models that read the files: python -m tests.config.reference."""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config import Problem, Settings

TARGET = Path(__file__).parents[2] / "docs" / "configuration.md"

_INTRODUCTION = """# Configuration

Made from the models in config/ by `python -m tests.config.reference`; a test keeps it true. Unknown keys, wrong types
and contradictions are reported all at once by `winnow check`.
"""


def render() -> str:
    """Return the whole document."""
    problem = ["## The problem file", "", *_rows(Problem, "")]
    service = ["## The service file, winnow.yaml", ""]
    service += ["Every key also by environment: `WINNOW_POLL_SECONDS=5`, `WINNOW_LOG__LEVEL=debug`; it wins.", ""]
    return "\n".join([_INTRODUCTION, *problem, "", *service, *_rows(Settings, ""), ""])


def _rows(model: type[BaseModel], prefix: str) -> list[str]:
    rows = [] if prefix else ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows += _rows(kind, f"{prefix}{name}.")
        else:
            rows.append(f"| `{prefix}{name}` | {_default(field)} | {field.description} |")
    return rows


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, tuple):
        return f"`[{', '.join(field.default)}]`"
    return f"`{json.dumps(field.default, default=BaseModel.model_dump)}`".replace('"', "")


if __name__ == "__main__":
    TARGET.write_text(render())
