"""Load problem files and winnow.yaml: everything that is wrong with all of them is raised at once."""

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import cast

from config.checking import Checked, Source, check, check_problem
from config.clashes import clashes
from config.document import Document, KeyPath, read_document
from config.errors import ConfigError, Fault
from config.locations import normal_location
from config.problem import Problem
from config.queries import KEY, UnreadableQuery, with_query
from config.settings import Settings, environment, variables


@dataclass(frozen=True, slots=True)
class Service:
    """All that `winnow watch` needs to know."""

    settings: Settings
    problems: tuple[Problem, ...]


def load_problem(path: Path | str, overrides: Mapping[str, object] | None = None) -> Problem:
    """Load one problem file.

    Args:
        path: the file; relative local paths in it are relative to its folder.
        overrides: top-level keys that replace those of the file (the options of a command); relative local paths in
            them are relative to the working directory.

    Raises:
        ConfigError: with all faults of the file and of the overrides.
    """
    checked, faults = _read_problem(Path(path), overrides or {})
    if checked is None or faults:
        raise ConfigError(faults)
    return checked.record


def load_settings() -> Settings:
    """Return the settings where there is no winnow.yaml: defaults and the environment.

    Raises:
        ConfigError: with all faults of the environment.
    """
    checked = check(Settings, _with_environment(Document("environment")))
    if checked.faults:
        raise ConfigError(checked.faults)
    return checked.record


def load_service(path: Path | str) -> Service:
    """Load winnow.yaml, the environment over it, and every problem file it names.

    Args:
        path: the file; problem paths in it are relative to its folder.

    Raises:
        ConfigError: with all faults of all files and of the environment.
    """
    document, faults = read_document(Path(path))
    if faults and not document.data:
        raise ConfigError(faults)
    service = check(Settings, _with_environment(document))
    files, missing = _problem_files(service, Path(path).parent)
    readings = [_read_problem(file, {}) for file in files]
    problems = [checked for checked, _ in readings if checked is not None]
    faults = [
        *_by_line([*faults, *service.faults, *missing]),
        *(fault for _, of_file in readings for fault in of_file),
        *clashes(problems),
    ]
    if faults:
        raise ConfigError(faults)
    return Service(service.record, tuple(each.record for each in problems))


def _with_environment(document: Document) -> Source:
    values = environment()
    origins = {path: ("environment", variable) for path, variable in variables(values).items()}
    return Source(document, _merged(document.data, values), origins)


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(cast("Mapping[str, object]", old), cast("Mapping[str, object]", value))
        else:
            merged[key] = value
    return merged


def _problem_files(service: Checked[Settings], folder: Path) -> tuple[list[Path], list[Fault]]:
    """Return the files that `problems` names, each once, and the faults of names that lead nowhere."""
    files: dict[Path, Path] = {}
    faults: list[Fault] = []
    for index, pattern in enumerate(service.record.problems):
        found = _matches(folder, pattern)
        if not found:
            faults.append(service.source.fault(("problems", index), f'"{pattern}": no such file', "a problem file"))
        files |= {file.resolve(): file for file in found if file.resolve() not in files}
    if not service.record.problems and service.trusts(("problems",)) and not _has_faulty_item(service):
        faults.append(service.source.fault(("problems",), "nothing", "at least one problem file"))
    return list(files.values()), faults


def _has_faulty_item(service: Checked[Settings]) -> bool:
    return any(path[0] == "problems" for path in service.faulty)


def _matches(folder: Path, pattern: str) -> list[Path]:
    if os.path.exists(folder / pattern):  # noqa: PTH110 - Path.exists raises where a name is too long
        return [folder / pattern]
    return [folder / name for name in sorted(glob(pattern, root_dir=folder, recursive=True))]  # noqa: PTH207 - Path.glob refuses absolute patterns


def _read_problem(path: Path, overrides: Mapping[str, object]) -> tuple[Checked[Problem] | None, list[Fault]]:
    document, faults = read_document(path)
    if faults and not document.data:
        return None, faults
    data = {**_anchored(document.data, path.parent), **_anchored(overrides, Path.cwd())}
    origins: dict[KeyPath, tuple[str, str]] = {(key,): ("command line", key) for key in overrides}
    try:
        data = with_query(data, path.parent)
    except UnreadableQuery as error:
        faults = [*faults, document.fault((KEY,), str(error), "a file of SQL beside the problem file")]
        del data[KEY]
    checked = check_problem(Source(document, data, origins))
    return checked, _by_line([*faults, *checked.faults])


def _anchored(data: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Return `data` with its locations made absolute; those that are none stay for the record to refuse."""
    anchored = dict(data)
    for key in ("drops", "results"):
        text = anchored.get(key)
        if isinstance(text, str):
            try:
                anchored[key] = normal_location(text, folder)
            except ValueError:
                continue
    return anchored


def _by_line(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.line or 0)
