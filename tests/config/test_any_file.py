"""Whatever a file holds, it is a record or a list of faults, never another error."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from config import ConfigError, Problem, Settings, load_problem, load_service

_scalars = st.sampled_from(
    [None, True, 0, 1, -1, 3.5, 1e300, "", "a", "id", "0.5", "s3://a/b", "s3://a", "gs://x", "/", "~no-such-user/x"]
) | st.text("ab/\n:[{\"'", max_size=5)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3),
    max_leaves=4,
)


def _files(model: type[BaseModel]) -> st.SearchStrategy[dict[str, object]]:
    """Return mappings with many of the keys of `model`, with values good and bad."""
    fields = dict.fromkeys(model.model_fields, _values)
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            inner = dict.fromkeys(field.annotation.model_fields, _values)
            fields[name] = _values | st.fixed_dictionaries({}, optional=inner)
    return st.fixed_dictionaries({}, optional={**fields, "unknown": _values})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that every example overwrites."""
    return tmp_path_factory.mktemp("any") / "any.yaml"


@settings(max_examples=200, deadline=None)
@given(data=_files(Problem))
def test_any_problem_file_is_a_problem_or_faults(path: Path, data: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    try:
        problem = load_problem(path)
    except ConfigError as error:
        assert error.faults != ()  # noqa: PT017 - either outcome is fine, no other is
    else:
        assert load_problem(path).canonical_json() == problem.canonical_json()


@settings(max_examples=200, deadline=None)
@given(data=_files(Settings).filter(lambda data: data.get("problems") != ["any.yaml"]))
def test_no_service_file_is_anything_but_faulty_without_its_problems(path: Path, data: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(ConfigError):
        load_service(path)


@given(text=st.text(max_size=60))
def test_any_text_is_a_problem_or_faults(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError):
        load_problem(path)
