"""Publishes what one try at a run produced, makes it count with one create-only COMMIT, or takes it back.

Attempts never touch each other: each has a folder of its own. Whichever attempt's COMMIT is there first is the run.
Source: docs/protocol.md, P5.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.committed import Commit, Output, read_commit
from storage.errors import CorruptObject, ObjectExists, ObjectMissing
from storage.keys import attempt_folder, commit_key, new_nonce, parse_attempt_folder
from storage.store import ObjectStore

PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try at a run left in the store.

    Attributes:
        folder: where, ending in "/", relative to the results store.
        outputs: every object, by its key relative to the results store.
    """

    folder: str
    outputs: Mapping[str, Output]


def publish(store: ObjectStore, problem: str, run_id: str, fence: int, folder: Path) -> Attempt:
    """Upload every file of a local folder into a fresh attempt folder, and read it back.

    Args:
        store: the results store.
        problem: the problem.
        run_id: the run.
        fence: of the claim under which it was made.
        folder: what to upload; sub-folders too.

    Raises:
        CorruptObject: what is in the store is not what was sent.
    """
    target = attempt_folder(problem, run_id, fence, new_nonce())
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    outputs = {
        target + path.relative_to(folder).as_posix(): _upload(store, target + path.relative_to(folder).as_posix(), path)
        for path in files
    }
    return Attempt(target, outputs)


def commit(store: ObjectStore, proposal: Commit) -> Commit:
    """Make an attempt count, if no other attempt at the run counts yet.

    Args:
        store: the results store.
        proposal: the commit to write.

    Returns:
        The commit that stands: `proposal`, or that of another attempt; then ours is to be discarded.

    Raises:
        ObjectMissing: the attempt is not whole any more: it lay so long that it was collected.
    """
    there = {info.key for info in store.list(proposal.attempt)}
    if gone := sorted(proposal.outputs.keys() - there):
        raise ObjectMissing("commit", store.url + gone[0], "the output of this attempt is gone")
    try:
        store.create(commit_key(proposal.problem, proposal.run_id), proposal.to_json())
    except ObjectExists:
        return read_commit(store, proposal.problem, proposal.run_id)
    return proposal


def discard_attempt(store: ObjectStore, folder: str) -> None:
    """Remove an attempt that does not count.

    Args:
        store: the results store.
        folder: its folder.

    Raises:
        ValueError: it is not the folder of an attempt, or the attempt is the one that counts.
    """
    parsed = parse_attempt_folder(folder)
    if parsed is None:
        raise ValueError(f"{folder!r} is not the folder of an attempt")
    if _standing_attempt(store, parsed[0], parsed[1]) == folder:
        raise ValueError(f"{folder!r} is the attempt that counts")
    for info in list(store.list(folder)):
        store.delete(info)


def _standing_attempt(store: ObjectStore, problem: str, run_id: str) -> str | None:
    try:
        return read_commit(store, problem, run_id).attempt
    except ObjectMissing:
        return None


def _upload(store: ObjectStore, key: str, path: Path) -> Output:
    with path.open("rb") as file:
        sent = Output(path.stat().st_size, _sha256(file))
    info = store.write(key, path)
    with store.open(info) as file:
        stored = Output(info.size, _sha256(file))
    if stored != sent:
        raise CorruptObject("publish", store.url + key, f"{stored} is there, {sent} was sent")
    return sent


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
