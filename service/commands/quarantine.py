"""`winnow quarantine`: the drops that were put aside, why, and how to let one go."""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from config import load_settings
from service.commands.printing import out, print_json, shown
from service.exits import Exit
from service.logs import configure_logs
from service.places import Place, find_places, usage_error
from storage import quarantine
from storage.quarantine import Quarantined


@dataclass(frozen=True, slots=True)
class _Aside:
    place: Place
    record: Quarantined

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {"problem": self.place.problem, "drop_id": self.record.drop_id, **self.record.to_json()}


def list_aside(
    problem: str | None = None, config: Path | None = None, results: str | None = None, *, as_json: bool = False
) -> Exit:
    """List what is aside, the newest of each problem first."""
    found = _all_aside(problem, config, results)
    if as_json:
        print_json({"quarantine": [aside.to_json() for aside in found]})
        return Exit.DONE
    table = Table(title=f"Drops in quarantine: {len(found)}", title_justify="left")
    for heading in ("problem", "drop_id", "found at", "error", "drop"):
        table.add_column(heading, overflow="fold")
    for aside in found:
        record = aside.record
        when = f"{record.found_at:%Y-%m-%d %H:%M}"
        cells = (aside.place.problem, record.drop_id, when, record.error, shown(record.url))
        table.add_row(*map(Text, cells))
    out().print(table)
    return Exit.DONE


def show(
    drop: str,
    problem: str | None = None,
    config: Path | None = None,
    results: str | None = None,
    *,
    as_json: bool = False,
) -> Exit:
    """Show one drop that is aside."""
    aside = _one_aside(drop, problem, config, results)
    if as_json:
        print_json(aside.to_json())
        return Exit.DONE
    record = aside.record
    size = sum(part.size for part in record.snapshot.parts)
    lines = (
        f"drop     {shown(record.url)}",
        f"drop_id  {record.drop_id}",
        f"problem  {aside.place.problem}",
        f"since    {record.found_at:%Y-%m-%d %H:%M:%S %Z}",
        f"error    {record.error}",
        f"found    {record.message}",
        f"parts    {len(record.snapshot.parts)}, {size:,} bytes",
    )
    out().print("\n".join(lines), markup=False, soft_wrap=True)
    return Exit.DONE


def release(
    drop: str,
    problem: str | None = None,
    config: Path | None = None,
    results: str | None = None,
    *,
    as_json: bool = False,
) -> Exit:
    """Let one drop go."""
    aside = _one_aside(drop, problem, config, results)
    is_released = quarantine.release(aside.place.store, aside.place.problem, aside.record.drop_id)
    if as_json:
        print_json({"drop_id": aside.record.drop_id, "released": is_released})
    else:
        said = "The service tries it again" if is_released else "Somebody else was faster"
        out().print(f"{said}: {shown(aside.record.url)}", markup=False, soft_wrap=True)
    return Exit.DONE


def _all_aside(problem: str | None, config: Path | None, results: str | None) -> list[_Aside]:
    configure_logs(load_settings().log)
    places = find_places(problem, config, results)
    return [_Aside(place, record) for place in places for record in quarantine.read_all(place.store, place.problem)]


def _one_aside(drop: str, problem: str | None, config: Path | None, results: str | None) -> _Aside:
    found = [aside for aside in _all_aside(problem, config, results) if aside.record.drop_id.startswith(drop)]
    if len(found) != 1:
        known = "no drop in quarantine" if not found else f"{len(found)} drops in quarantine"
        raise usage_error("DROP", f'"{drop}", which is the beginning of {known}', "one from `winnow quarantine list`")
    return found[0]
