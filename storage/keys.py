"""The names of every object that the protocol reads or writes: formats, and exact inverses where a name is parsed.

Keys of results are relative to the root of the results store; keys of a drop to the root of its own store. This file
decides no policy and touches no store.
"""

import hashlib
import json
import re
from datetime import date
from uuid import uuid4

MARKER = "_SUCCESS"
MANIFEST = "_MANIFEST.json"
COMMIT = "COMMIT.json"
FINISHED = "FINISHED.json"
FEATURES = "features.parquet"
METRICS = "metrics.json"
LINEAGE = "run.json"
PROBE_FOLDER = ".probe/"

_DIGEST_LETTERS = 32
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UNIQUE = re.compile(_UUID)
_WRITE = re.compile(rf"(?:^|/)part-\d+-({_UUID})[^/]*$")
_RUN_OBJECT = re.compile(r"(?P<problem>[^/]+)/runs/(?P<run_id>[^/]+)/(?P<name>COMMIT\.json|FINISHED\.json)")
_ATTEMPT = re.compile(r"(?P<problem>[^/]+)/runs/(?P<run_id>[^/]+)/attempt-(?P<fence>\d+)-(?P<nonce>[^/]+)/")
_TRIALS = re.compile(r"[^/]+/runs/(?P<run_id>[^/]+)/trials\.json")
_TRASH = re.compile(r"[^/]+/trash/until=(?P<until>\d{4}-\d{2}-\d{2})/")
_CONTROL = re.compile(r"(?P<problem>[^/]+)/(?P<kind>claims|done|quarantine)/(?P<drop_id>[^/]+)\.json")


def digest(*parts: object) -> str:
    """Name content by its hash.

    Args:
        parts: JSON values; their order counts.

    Returns:
        The first 32 hex digits of the sha256 of their canonical JSON.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LETTERS]


def run_id_of(drop_id: str, problem: str, code_version: str) -> str:
    """Name the work on one drop under one problem and one version of the code."""
    return digest(drop_id, problem, code_version)


def new_nonce() -> str:
    """Return a name that nobody else will ever use."""
    return str(uuid4())


def write_uuid(key: str) -> str | None:
    """Return the UUID of the write that `part-<task>-<uuid>-c<n>...` carries, or None."""
    match = _WRITE.search(key)
    return match.group(1) if match else None


def is_unique(key: str) -> bool:
    """Tell whether the key carries a UUID, so that no other writer will ever put another object there."""
    return _UNIQUE.search(key) is not None


def runs_prefix(problem: str) -> str:
    """Return the prefix of all runs of a problem."""
    return f"{problem}/runs/"


def commit_key(problem: str, run_id: str) -> str:
    """Return the key whose existence makes a run real."""
    return f"{problem}/runs/{run_id}/{COMMIT}"


def finished_key(problem: str, run_id: str) -> str:
    """Return the key that says that everything after the commit of this run is done too."""
    return f"{problem}/runs/{run_id}/{FINISHED}"


def trials_key(problem: str, run_id: str) -> str:
    """Return the key of the trials that the unfinished search of a run has ended."""
    return f"{problem}/runs/{run_id}/trials.json"


def parse_trials_key(key: str) -> str | None:
    """Return the run_id of the trials of a search; None for every other key."""
    match = _TRIALS.fullmatch(key)
    return match["run_id"] if match else None


def parse_run_object(key: str) -> tuple[str, str, str] | None:
    """Return (problem, run_id, name) of a COMMIT or FINISHED key; None for every other key."""
    match = _RUN_OBJECT.fullmatch(key)
    return (match["problem"], match["run_id"], match["name"]) if match else None


def attempt_folder(problem: str, run_id: str, fence: int, nonce: str) -> str:
    """Return the folder, ending in "/", of one try at a run."""
    return f"{problem}/runs/{run_id}/attempt-{fence}-{nonce}/"


def parse_attempt_folder(folder: str) -> tuple[str, str, int, str] | None:
    """Return (problem, run_id, fence, nonce) of an attempt folder; None for every other text."""
    match = _ATTEMPT.fullmatch(folder)
    return (match["problem"], match["run_id"], int(match["fence"]), match["nonce"]) if match else None


def attempt_folder_of(key: str) -> str | None:
    """Return the attempt folder, ending in "/", in which an object is; None for every other key."""
    head, _, rest = key.partition("/attempt-")
    folder = f"{head}/attempt-{rest.partition('/')[0]}/"
    return folder if "/" in rest and parse_attempt_folder(folder) is not None else None


def trash_prefix(problem: str) -> str:
    """Return the prefix of all consumed inputs of a problem that are kept for some days."""
    return f"{problem}/trash/"


def trash_folder(until: date, attempt: str) -> str:
    """Return the folder, ending in "/", of the inputs that an attempt consumed and that are kept until a day."""
    problem, _, run = attempt.partition("/runs/")
    return f"{trash_prefix(problem)}until={until.isoformat()}/{run}"


def parse_trash_key(key: str) -> date | None:
    """Return the day until which an object in the trash is kept; None for every other key."""
    match = _TRASH.match(key)
    return date.fromisoformat(match["until"]) if match else None


def ledger_key(problem: str, day: str, run_id: str) -> str:
    """Return the key of a run's feature table in the ledger; `day` is YYYY-MM-DD."""
    return f"{problem}/ledger/dt={day}/{run_id}.parquet"


def latest_key(problem: str) -> str:
    """Return the key that names the newest commit of a problem."""
    return f"{problem}/latest.json"


def claim_key(problem: str, drop_id: str) -> str:
    """Return the key of the claim on a drop."""
    return f"{problem}/claims/{drop_id}.json"


def done_key(problem: str, drop_id: str) -> str:
    """Return the key of the tombstone of a drop."""
    return f"{problem}/done/{drop_id}.json"


def quarantine_key(problem: str, drop_id: str) -> str:
    """Return the key that says why a drop was put aside."""
    return f"{problem}/quarantine/{drop_id}.json"


def quarantine_prefix(problem: str) -> str:
    """Return the prefix of all drops of a problem that were put aside."""
    return f"{problem}/quarantine/"


def parse_control_key(key: str) -> tuple[str, str, str] | None:
    """Return (problem, "claims" | "done" | "quarantine", drop_id) of a control object; None for every other key."""
    match = _CONTROL.fullmatch(key)
    return (match["problem"], match["kind"], match["drop_id"]) if match else None
