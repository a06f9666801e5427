"""The table of contents of the product: how one drop becomes one run.

    drop -> snapshot (-> SQL) -> table -> dataset -> learned -> results -> commit -> deletion

Nothing is deleted that the commit does not name, and nothing at all before it stands. A run is content-addressed: the
same drop under the same problem and code is the same run, and an attempt that finds it committed only finishes it.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.data.dataset import Dataset
from jobs.intake import take_in
from jobs.journal import RunJournal
from jobs.learn import Learned, learn
from jobs.lineage import code_version, metrics_of, write_lineage, write_metrics
from jobs.memory import bound_freed_memory, expected_peak_bytes, require_memory
from jobs.model import model_of
from jobs.net.threads import compute_on
from jobs.observer import Observer
from jobs.prepare import parts_to_read
from jobs.previous import read_previous
from jobs.report.changes import changes_since
from jobs.report.model import write_model
from jobs.report.page import write_page
from jobs.report.tables import features_table, interactions_table, positions_table, write_tables
from jobs.schema import plan_reading
from jobs.stages import Stages
from jobs.work import Outcome, Work
from storage.commits import Attempt, Commit, commit, discard_attempt, finish, publish, read_commit
from storage.errors import ObjectMissing
from storage.keys import run_id_of
from storage.parquet import inspect_parts
from storage.reading import read_table


def run_drop(work: Work, observer: Observer) -> Outcome:
    """Turn one drop into one committed run, and delete exactly what it consumed.

    Raises:
        InputRejected, CorruptObject, SchemaConflict: the drop is at fault.
        TrainingFailed: the learning is; OutOfMemory: it would pass max_memory, and was not begun.
        ObjectChanged: the producer replaced a part meanwhile.
        StorageError: a store failed.
        Abandoned: the observer asked to stop.
    """
    compute_on(work.threads)
    bound_freed_memory(work.threads)
    run_id = run_id_of(work.drop.drop_id, work.problem.canonical_json(), code_version())
    concluded = concluded_before(work, run_id)
    if concluded is not None:
        return concluded
    stages = Stages(observer)
    journal = RunJournal(work.results, work.problem.problem, run_id)
    learned = learn(read_drop(work, stages), work.problem, work.threads, stages, journal)
    with TemporaryDirectory(prefix="winnow-") as folder, stages.stage("publish", 0, "files"):
        write_results(Path(folder), work, run_id, learned, stages)
        attempt = publish(work.results, work.problem.problem, run_id, work.fence, Path(folder))
    outcome = conclude(work, run_id, attempt)
    journal.discard()
    return outcome


def concluded_before(work: Work, run_id: str) -> Outcome | None:
    """Finish the run if an earlier attempt has committed it."""
    try:
        standing = read_commit(work.results, work.problem.problem, run_id)
    except ObjectMissing:
        return None
    return Outcome(standing, finish(work.results, work.drops, standing), is_new=False)


def conclude(work: Work, run_id: str, attempt: Attempt) -> Outcome:
    """Make a published attempt count unless another one does, and delete what it was made of."""
    proposal = Commit(
        run_id=run_id,
        drop_id=work.drop.drop_id,
        problem=work.problem.problem,
        attempt=attempt.folder,
        committed_at=datetime.now(UTC),
        outputs=attempt.outputs,
        consumed=work.drop,
        keep_inputs=work.problem.keep_inputs,
        retention_days=work.problem.retention_days,
    )
    standing = commit(work.results, proposal)
    if standing.attempt != attempt.folder:
        discard_attempt(work.results, attempt.folder)
    return Outcome(standing, finish(work.results, work.drops, standing), is_new=standing.attempt == attempt.folder)


def read_drop(work: Work, stages: Stages) -> Dataset:
    """Read exactly the objects of the snapshot, through the problem's SQL if it has any, and judge the table."""
    with parts_to_read(work, stages) as (parts, open_part):
        with stages.stage("inspect", len(parts), "parts") as facts:
            schema = inspect_parts(parts, open_part)
            plan = plan_reading(schema, work.problem)
            d_block, folds = work.problem.net.d_block, work.problem.split.folds
            expected = expected_peak_bytes(schema, plan, d_block=d_block, folds=folds, threads=work.threads)
            facts |= {"rows": schema.n_rows, "columns": len(plan.numeric), "expected_peak_bytes": expected}
            require_memory(expected, work.max_memory)
        with stages.stage("read", schema.n_rows, "rows") as facts:
            table = read_table(parts, open_part, plan, schema, threads=work.threads, on_rows=stages.advance)
            facts |= {"rows": len(table.ids), "columns": len(table.numeric_names), "non_zeros": int(table.numeric.nnz)}
    declared = work.problem.table
    return take_in(table, plan, schema, work.problem.task, declared.report_by, declared.positive)


def write_results(folder: Path, work: Work, run_id: str, learned: Learned, stages: Stages) -> None:
    """Write every file of the run into a local folder."""
    table = features_table(learned)
    changes = changes_since(read_previous(work.results, work.problem.problem, run_id), table, learned.data.n_rows)
    features, metrics = changes.flag(table), metrics_of(learned, changes, stages)
    write_tables(folder, features, learned, work.problem.table.id)
    write_page(
        folder, work.problem.problem, run_id, features, interactions_table(learned), positions_table(learned), metrics
    )
    write_model(folder, model_of(learned, work.problem))
    write_metrics(folder, metrics)
    write_lineage(folder, work, run_id, learned, stages, features)
