"""The guards of the protocol, each with the change that removes it. `docs/reliability.md` lists them.

A mutant is data: what stands in a file, and what stands there instead. One whose text is not found (any more) is an
error: the guard has moved, and so must the mutant.
"""

from dataclasses import dataclass

SIMULATION = "simulation"  # 300 schedules


@dataclass(frozen=True, slots=True)
class Mutant:
    """One guard removed.

    Attributes:
        guard: what is not true any more.
        file: where.
        old, new: the text, and what replaces it.
        proofs: what must fail: tests, or SIMULATION; the first that does is enough.
    """

    guard: str
    file: str
    old: str
    new: str
    proofs: tuple[str, ...]


_STORES = ("tests/contracts", "tests/storage/test_s3.py")
_COMMITS = ("tests/storage/test_commits.py", SIMULATION)

MUTANTS = (
    Mutant(
        "a part is read only as the version of the snapshot (S3)",
        "storage/s3.py",
        "Key=full, Range=rest, IfMatch=etag)",
        "Key=full, Range=rest)",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "a part is read only as the version of the snapshot (folder)",
        "storage/local.py",
        "        if _identity(info.key, os.fstat(file.fileno())).etag != info.etag:\n",
        "        if False:\n",
        _STORES,
    ),
    Mutant(
        "a delete names the etag it expects",
        "storage/s3_conditions.py",
        "client.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag))",
        "client.delete_object(Bucket=self._bucket, Key=key))",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "an object is compared before it is deleted",
        "storage/s3.py",
        "            if not _is_same(self._head(info.key), info):\n                return Deletion.CHANGED\n",
        "",
        (*_STORES, *_COMMITS),
    ),
    Mutant(
        "a delete on a bucket with versions names the version",
        "storage/s3.py",
        "self._client.delete_object(Bucket=self._bucket, Key=self._prefix + info.key, VersionId=version)",
        "self._client.delete_object(Bucket=self._bucket, Key=self._prefix + info.key)",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "a key that somebody may write again is not deleted where the server ignores conditions",
        "storage/s3.py",
        "            if not (is_unique(info.key) or self._conditions.honoured_on_delete()):\n"
        "                return Deletion.DENIED\n",
        "",
        ("tests/storage/test_s3.py", SIMULATION),
    ),
    Mutant(
        "a file is compared before it is deleted",
        "storage/local.py",
        "            return Deletion.CHANGED\n        path.unlink()",
        "            pass\n        path.unlink()",
        _STORES,
    ),
    Mutant(
        "a create does not replace (S3)",
        "storage/s3_conditions.py",
        'Body=body, IfNoneMatch="*")',
        "Body=body)",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "a create does not replace (folder)",
        "storage/local.py",
        'return self._place("create", key, body, os.link)',
        'return self._place("create", key, body, os.replace)',
        _STORES,
    ),
    Mutant(
        "a replace names the etag it expects",
        "storage/s3_conditions.py",
        "Key=key, Body=body, IfMatch=etag)",
        "Key=key, Body=body)",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "a lost answer is settled by reading back",
        "storage/s3_conditions.py",
        "return answer if stream.read() == body else None",
        "return None",
        (*_STORES, SIMULATION),
    ),
    Mutant(
        "two listings must agree, so far apart",
        "storage/drops.py",
        "            return False\n        return now - since >= settle_seconds",
        "        return True",
        ("tests/storage/test_drops.py", SIMULATION),
    ),
    Mutant(
        "the marker is not older than a part",
        "storage/completeness.py",
        "if part.modified > marker.modified]",
        "if False]",
        ("tests/storage/test_drops.py", SIMULATION),
    ),
    Mutant(
        "parts of two writes are no drop",
        "storage/completeness.py",
        "        _mixed_writes(prefix, parts, holds_tables=holds_tables) if not allow_append else None,\n",
        "",
        ("tests/storage/test_drops.py", SIMULATION),
    ),
    Mutant(
        "a folder in which a writer works is no drop",
        "storage/completeness.py",
        "        _work_in_progress(relative),\n",
        "",
        ("tests/storage/test_drops.py",),
    ),
    Mutant(
        "a manifest names what is there",
        "storage/completeness.py",
        "        _breaks_manifest(store, prefix, marker, objects, parts),\n",
        "",
        ("tests/storage/test_declarations.py", SIMULATION),
    ),
    Mutant(
        "a claim is taken over only after a ttl of silence",
        "storage/claims.py",
        "        return now - since >= self._ttl_seconds\n",
        "        return True\n",
        ("tests/storage/test_claims.py",),
    ),
    Mutant(
        "who has lost a claim stops",
        "storage/claims.py",
        "            except ClaimLost:\n                return on_lost()\n",
        "            except ClaimLost:\n                continue\n",
        ("tests/storage/test_claims.py", "tests/service/test_watcher.py"),
    ),
    Mutant(
        "what was uploaded is read back",
        "storage/attempts.py",
        "    if stored != sent:",
        "    if False:",
        ("tests/storage/test_commits.py",),
    ),
    Mutant(
        "an attempt that was collected is not committed",
        "storage/attempts.py",
        "    if gone := sorted(proposal.outputs.keys() - there):",
        "    if gone := sorted(set[str]() & there):",
        ("tests/storage/test_commits.py",),
    ),
    Mutant(
        "the attempt that counts is not discarded",
        "storage/attempts.py",
        "    if _standing_attempt(store, parsed[0], parsed[1]) == folder:",
        "    if False:",
        ("tests/storage/test_commits.py",),
    ),
    Mutant(
        "the attempt that counts is no orphan",
        "storage/orphans.py",
        " if folder != standing]",
        "]",
        ("tests/storage/test_orphans.py",),
    ),
    Mutant(
        "an unfinished commit is swept",
        "service/watcher.py",
        "        errors = self._sweep()\n",
        "        errors: list[StorageError] = []\n",
        ("tests/service/test_watcher.py", SIMULATION),
    ),
    Mutant(
        "a marker that looks like the next one stays",
        "storage/commits.py",
        'return there.etag != marker.etag or is_unique(body.decode(errors="replace"))',
        "return True",
        _COMMITS,
    ),
    Mutant(
        "what could not be deleted is no new drop",
        "storage/commits.py",
        "        _bury_remains(results_store, drops_store, standing, finished.status)\n",
        "",
        _COMMITS,
    ),
    Mutant(
        "inputs are deleted only after the commit",
        "jobs/run.py",
        "    standing = commit(work.results, proposal)\n",
        "    finish(work.results, work.drops, proposal)\n    standing = commit(work.results, proposal)\n",
        (SIMULATION,),
    ),
    Mutant(
        "a run that is committed is not done again",
        "jobs/run.py",
        "    return Outcome(standing, finish(work.results, work.drops, standing), is_new=False)\n",
        "    return None\n",
        ("tests/service/test_run_command.py",),
    ),
    Mutant(
        "kept inputs are kept",
        "storage/commits.py",
        "    if standing.keep_inputs:\n",
        "    if False:\n",
        ("tests/storage/test_commits.py",),
    ),
    Mutant(
        "the trash has its copy before the input is deleted",
        "storage/commits.py",
        "            copy_to_trash(results_store, drops_store, standing)\n",
        "            pass\n",
        ("tests/storage/test_trash.py",),
    ),
    Mutant(
        "a drop in quarantine is left alone",
        "service/watcher.py",
        "        if is_quarantined(self._worker.results, self.problem.problem, drop.drop_id):",
        "        if False:",
        ("tests/service/test_watcher.py",),
    ),
    Mutant(
        "a store that ignores conditions is refused",
        "storage/probe.py",
        "        _expect_create_refused(store, key)\n",
        "",
        ("tests/storage/test_probe.py",),
    ),
    Mutant(
        "a denied delete is an answer, not a reason to train again",
        "storage/s3.py",
        "            if is_refusal(error):\n                return Deletion.DENIED\n",
        "",
        ("tests/storage/test_commits.py", SIMULATION),
    ),
    Mutant(
        "the marker of a raw table is not that of its drop",
        "storage/drops.py",
        ' if folder.count("/") <= ("" not in markers)}\n',
        "}\n",
        ("tests/storage/test_drops.py",),
    ),
    Mutant(
        "each raw table comes from one write",
        "storage/completeness.py",
        '        table = table_of(part.key.removeprefix(prefix)) if holds_tables else ""\n',
        '        table = part.key if holds_tables else ""\n',
        ("tests/storage/test_drops.py",),
    ),
    Mutant(
        "SQL sees nothing of the machine but its drop",
        "jobs/prepare.py",
        '        "enable_external_access": False,\n',
        '        "enable_external_access": True,\n',
        ("tests/jobs/test_prepare.py",),
    ),
    Mutant(
        "SQL cannot lift its own bounds",
        "jobs/prepare.py",
        '        connection.execute("SET lock_configuration = true")\n',
        "",
        ("tests/jobs/test_prepare.py",),
    ),
)
