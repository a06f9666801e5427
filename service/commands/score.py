"""`winnow score`: the predictions of a run's model for every row of a drop, as parquet and csv."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from config import load_settings
from config.locations import contains
from config.machine import usable_cores, usable_memory
from jobs.errors import InputRejected
from jobs.model import Model
from jobs.scoring import NAMES, Scored, score_drop
from jobs.work import Work
from service.commands.printing import out, print_json, shown
from service.commands.run import drop_at, store_and_folder
from service.exits import Exit
from service.logs import configure_logs, get_log
from service.observing import RunObserver
from service.places import location_of, usage_error
from service.progress import make_bars
from service.runs import run_at
from service.stopping import HeldClaims, StopFlag, run_stoppable
from storage import open_store
from storage.errors import CorruptObject


def execute(drop: str, model: str, out_url: str, *, as_json: bool = False) -> Exit:
    """Score one drop.

    Args:
        drop: its folder; nothing in it is deleted.
        model: the folder of a run.
        out_url: takes predictions.parquet and predictions.csv, replacing what is there.
        as_json: print one JSON object.
    """
    settings = load_settings()
    configure_logs(settings.log)
    known, source, goal = run_at("--model", model), location_of("DROP", drop), location_of("--out", out_url)
    if contains(source, goal):
        raise usage_error("--out", f'"{out_url}", in the drop itself', "another place: a drop is nobody else's")
    target = open_store(goal)
    root, prefix = store_and_folder(source)
    store, stop, log, bars = open_store(root), StopFlag(), get_log(), make_bars()
    found = drop_at(store, prefix, known.problem)
    threads, memory = settings.threads or usable_cores(), settings.max_memory or usable_memory()
    work = Work(known.problem, found, store, target, 0, threads, memory)

    def score() -> Scored:
        with TemporaryDirectory(prefix="winnow-") as folder:
            with bars:
                scored = _score(work, known.model, Path(folder), RunObserver(stop, log, bars))
            for name in NAMES:
                target.write(name, Path(folder, name))
        return scored

    scored = run_stoppable(score, stop, HeldClaims(), log, exit_code=Exit.RUN_FAILED)
    urls = [target.url + name for name in NAMES]
    if as_json:
        said = {"run_id": known.commit.run_id, "rows": scored.rows}
        odd = {"missing": scored.missing, "strange": scored.strange}
        print_json({"status": "scored", **said, **odd, "predictions": urls})
        return Exit.DONE
    if scored.missing:
        lacking = f"{len(scored.missing)} columns of the model are not in the drop, and never happened: "
        lacking += _named(scored.missing)
        out().print(lacking, style="yellow", markup=False)
    if scored.strange:
        unlike = f"{len(scored.strange)} columns have no value that the model knows; is their type another one? "
        unlike += _named(scored.strange)
        out().print(unlike, style="yellow", markup=False)
    out().print(f"{scored.rows:,} rows scored by run {known.commit.run_id}:", markup=False)
    out().print("\n".join(shown(url) for url in urls), markup=False, soft_wrap=True)
    return Exit.DONE


def _named(columns: Sequence[str]) -> str:
    return ", ".join(columns[:5]) + (", ..." if len(columns) > 5 else "")


def _score(work: Work, model: Model, folder: Path, observer: RunObserver) -> Scored:
    """Score; what is wrong with the drop is a fault of the input, not of the store."""
    try:
        return score_drop(work, model, folder, observer)
    except CorruptObject as error:
        raise InputRejected(f"{error}") from error
