"""`winnow score`: the predictions of a run's model for every row of a drop, as parquet and csv."""

from pathlib import Path
from tempfile import TemporaryDirectory

from config import load_settings
from config.machine import usable_cores, usable_memory
from jobs.scoring import NAMES, score_drop
from jobs.work import Work
from service.commands.printing import out, print_json, shown
from service.commands.run import store_and_folder
from service.exits import Exit
from service.logs import configure_logs, get_log
from service.observing import RunObserver
from service.places import location_of
from service.progress import make_bars
from service.runs import run_at
from service.stopping import HeldClaims, StopFlag, run_stoppable
from storage import open_store
from storage.drops import Declaration, snapshot_at


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
    known, target = run_at("--model", model), open_store(location_of("--out", out_url))
    root, prefix = store_and_folder(location_of("DROP", drop))
    store, stop, log, bars = open_store(root), StopFlag(), get_log(), make_bars()
    declaration = Declaration.of_rule(known.problem.complete.rule)
    found = snapshot_at(store, prefix, declaration, holds_tables=known.problem.holds_tables)
    threads, memory = settings.threads or usable_cores(), settings.max_memory or usable_memory()
    work = Work(known.problem, found, store, target, 0, threads, memory)

    def score() -> int:
        with TemporaryDirectory(prefix="winnow-") as folder, bars:
            rows = score_drop(work, known.model, Path(folder), RunObserver(stop, log, bars))
            for name in NAMES:
                target.write(name, Path(folder, name))
        return rows

    rows = run_stoppable(score, stop, HeldClaims(), log, exit_code=Exit.RUN_FAILED)
    urls = [target.url + name for name in NAMES]
    if as_json:
        print_json({"status": "scored", "run_id": known.commit.run_id, "rows": rows, "predictions": urls})
    else:
        out().print(f"{rows:,} rows scored by run {known.commit.run_id}:", markup=False)
        out().print("\n".join(shown(url) for url in urls), markup=False, soft_wrap=True)
    return Exit.DONE
