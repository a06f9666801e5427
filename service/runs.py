"""The run that a URL names: its problem as it was, and its model."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from config import Problem
from jobs.model import Model
from jobs.report.model import DESCRIPTION, WEIGHTS, UnknownModel, read_model
from service.places import location_of, usage_error
from storage import ObjectStore, open_store
from storage.commits import Commit, read_commit
from storage.committed import published
from storage.errors import CorruptObject, ObjectMissing

_RUN = re.compile(r"(?P<root>.+/)(?P<problem>[^/]+)/runs/(?P<run_id>[^/]+)/(?:attempt-[^/]+/)?")
_HINT = "Train again with this version, or score with the version that trained it"
_EXPECTED = "the folder of a run, as `winnow run` and `winnow results` print it: .../<problem>/runs/<run_id>"


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A committed run.

    Attributes:
        commit: the run.
        problem: as it was.
        model: what it learned.
    """

    commit: Commit
    problem: Problem
    model: Model


def run_at(option: str, url: str) -> KnownRun:
    """Read the run that an option of a command names.

    Raises:
        ConfigError: the URL names no committed run.
        CorruptObject: a file of it is damaged, or of another version.
    """
    found = _RUN.fullmatch(location_of(option, url))
    if found is None:
        raise usage_error(option, f'"{url}"', _EXPECTED)
    try:
        return known_run(open_store(found["root"]), found["problem"], found["run_id"])
    except ObjectMissing as error:
        raise usage_error(option, f'"{url}", where there is no commit', _EXPECTED) from error


def known_run(store: ObjectStore, problem: str, run_id: str) -> KnownRun:
    """Read a run.

    Raises:
        ObjectMissing: there is no such run.
        CorruptObject: a file of it is damaged, or of another version.
    """
    commit = read_commit(store, problem, run_id)
    try:
        declared = Problem.model_validate(json.loads(published(store, commit, "run.json"))["problem"])
    except (KeyError, TypeError, ValueError) as error:  # pydantic's error is a ValueError
        raise CorruptObject("read", store.url + commit.attempt + "run.json", _unknown_problem(error), _HINT) from error
    with TemporaryDirectory(prefix="winnow-") as folder:
        (Path(folder) / "model").mkdir()
        for name in (DESCRIPTION, WEIGHTS):
            (Path(folder) / "model" / name).write_bytes(published(store, commit, f"model/{name}"))
        try:
            model = read_model(Path(folder))
        except UnknownModel as error:
            raise CorruptObject("read", store.url + commit.attempt + "model/", str(error), _HINT) from error
    return KnownRun(commit, declared, model)


def _unknown_problem(error: Exception) -> str:
    return f"no problem that this version knows ({str(error).splitlines()[0]})"
