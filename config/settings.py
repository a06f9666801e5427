"""The settings of the service: winnow.yaml, and over it the environment.

`environment()` is the only reader of the environment in the product. A variable holds what the file would hold:
WINNOW_POLL_SECONDS=5, WINNOW_LOG__LEVEL=debug, WINNOW_PROBLEMS="[a.yaml, b.yaml]". An empty variable is no variable.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, ByteSize, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from config.document import KeyPath, scalar
from config.sections import Section, one_as_tuple

PREFIX = "WINNOW_"
NESTED = "__"


class LogSettings(Section):
    """What is logged, and how it looks."""

    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, else json"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least level that is logged"
    )


class Settings(BaseSettings):
    """Everything about the service that is not about one problem.

    Constructing it reads no environment: `load_service` and `load_settings` do.
    """

    model_config = SettingsConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    problems: Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(one_as_tuple)] = Field(
        default=(), description="problem files: paths or globs, relative to winnow.yaml"
    )
    poll_seconds: float = Field(default=30.0, gt=0, description="how often every problem's prefix is listed")
    claim_ttl_seconds: float = Field(default=300.0, gt=0, description="how long a claim holds without a sign of life")
    threads: int | None = Field(default=None, ge=1, description="threads of one run; null: all cores")
    max_memory: ByteSize | None = Field(
        default=None, gt=0, description="memory of one run, such as 4GB; null: all there is"
    )
    engine: Literal["local"] = Field(default="local", description="where runs take place")
    log: LogSettings = Field(default=LogSettings(), description="what is logged, and how it looks")
    heartbeat: Annotated[Path, Field(strict=False)] | None = Field(
        default=None, description="a file that the service touches: its age is the health of a container"
    )
    http: None = Field(default=None, description="the web pages of the service")
    notify: Annotated[tuple[()], Field(strict=False)] = Field(default=(), description="who is told about runs")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave only the given values: the environment is merged in where faults can still name the variable."""
        return (init_settings,)


class _Environment(EnvSettingsSource):
    """Variables as YAML values instead of JSON: the same spelling as in the file."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:  # noqa: ARG002
        """Read a whole section or list from one variable."""
        return scalar(str(value))


def environment() -> dict[str, object]:
    """Return the settings that the environment gives, nested like the file."""
    source = _Environment(Settings, env_prefix=PREFIX, env_nested_delimiter=NESTED, env_ignore_empty=True)
    return {key: _value(value) for key, value in source().items()}


def variables(values: Mapping[str, object], above: KeyPath = ()) -> dict[KeyPath, str]:
    """Return the variables behind the values of `environment()`, each under the key that it sets."""
    names: dict[KeyPath, str] = {}
    for key, value in values.items():
        path = (*above, key)
        name = PREFIX + NESTED.join(map(str, path)).upper()
        names |= {path: name} if name in map(str.upper, os.environ) else {}
        names |= variables(cast("Mapping[str, object]", value), path) if isinstance(value, Mapping) else {}
    return names


def _value(value: Any) -> object:  # noqa: ANN401 - what a settings source gives
    if isinstance(value, dict):
        return {str(key): _value(inner) for key, inner in cast("dict[str, Any]", value).items()}
    return scalar(value) if isinstance(value, str) else value
