"""Where the results of a problem are: by winnow.yaml, or by their URL."""

from dataclasses import dataclass
from pathlib import Path

from config import ConfigError, Fault, load_service
from config.locations import EXPECTED_LOCATION, normal_location
from storage import ObjectStore, open_store

DEFAULT_CONFIG = Path("winnow.yaml")


@dataclass(frozen=True, slots=True)
class Place:
    """The results of one problem.

    Attributes:
        problem: its name.
        store: the results store.
    """

    problem: str
    store: ObjectStore


def find_places(problem: str | None, config: Path | None, results: str | None) -> list[Place]:
    """Return the results that the options of a command name: of one problem, or of all in winnow.yaml.

    Raises:
        ConfigError: the options do not name any.
    """
    if results is not None:
        if problem is None:
            raise usage_error("PROBLEM", "nothing beside --results", "the name of a problem")
        return [Place(problem, open_store(location_of("--results", results)))]
    known = load_service(config or DEFAULT_CONFIG).problems
    places = [Place(each.problem, open_store(each.results)) for each in known if problem in {None, each.problem}]
    if not places:
        raise usage_error("PROBLEM", f'"{problem}"', "one of " + ", ".join(each.problem for each in known))
    return places


def find_place(problem: str | None, config: Path | None, results: str | None) -> Place:
    """Return the results of one problem.

    Raises:
        ConfigError: the options name none, or several.
    """
    places = find_places(problem, config, results)
    if len(places) > 1:
        names = ", ".join(place.problem for place in places)
        raise usage_error("PROBLEM", "nothing, and several problems", f"one of {names}")
    return places[0]


def location_of(option: str, text: str) -> str:
    """Return a location from the command line in its one spelling.

    Raises:
        ConfigError: it is none.
    """
    try:
        return normal_location(text)
    except ValueError as error:
        raise usage_error(option, f'"{text}"', EXPECTED_LOCATION) from error


def usage_error(key: str, found: str, expected: str) -> ConfigError:
    """Return the error of an option that cannot be used."""
    return ConfigError([Fault("command line", None, key, found, expected)])
