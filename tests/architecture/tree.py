"""The files of this repository that the architecture tests look at."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("config", "storage", "jobs", "service")


def sources() -> list[Path]:
    """Return every Python file of the four rooms."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def relative(paths: list[Path]) -> list[str]:
    """Return paths as people write them."""
    return [str(path.relative_to(ROOT)) for path in paths]
