"""The policies of docs/security.md, on a Ceph that enforces them: enough to work with, and nothing beyond."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from service.watcher import Watcher
from storage import open_store
from storage.commits import read_commit
from storage.errors import StorageError
from tests.architecture.tree import ROOT
from tests.servers.ceph import new_user
from tests.servers.fixtures import PointAt, Servers, fresh_bucket
from tests.servers.server import Server
from tests.service.conftest import Home, home_at
from tests.service.substitute import PART

DOCUMENT = ROOT / "docs/security.md"
DELETES = {"s3:DeleteObject", "s3:DeleteObjectVersion"}
Policy = dict[str, Any]


@dataclass(frozen=True)
class Guarded:
    """A home whose buckets belong to somebody else, and the client of that owner."""

    home: Home
    owner: Any
    drops: str
    results: str

    def write_drop(self, says: str = "fine") -> None:
        """Write a drop, as the producer."""
        self.owner.put_object(Bucket=self.drops, Key=f"drops/dt=1/{PART}", Body=f"dt=1/ is {says}".encode())
        self.owner.put_object(Bucket=self.drops, Key="drops/dt=1/_SUCCESS", Body=b"")

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket."""
        return [entry["Key"] for entry in self.owner.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def polls(self, watcher: Watcher) -> list[str]:
        """Poll twice, a minute apart; return how the work ended."""
        first = watcher.poll()
        self.home.clock.now += 61.0
        return [report.status for report in (*first.reports, *watcher.poll().reports)]


def policies() -> list[Policy]:
    """Return the two policies of the document: on the drops, on the results."""
    return [
        json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    ]


def without(policy: Policy, actions: set[str]) -> Policy:
    statements = [{**each, "Action": [a for a in each["Action"] if a not in actions]} for each in policy["Statement"]]
    return {**policy, "Statement": statements}


@pytest.fixture
def guarded(
    request: pytest.FixtureRequest, servers: Servers, point_at: PointAt, tmp_path: Path
) -> Callable[[set[str]], Guarded]:
    """Return what makes a home under the policies of the document, some actions on the drops taken away."""
    server = servers("ceph")
    assert server.home is not None
    name = f"winnow-{uuid4().hex[:8]}"
    new_user(server.home, name, name, name)
    owner, drops, results = server.client(), fresh_bucket(server), fresh_bucket(server)
    values = {"PRINCIPAL": f"arn:aws:iam:::user/{name}", "DROPS": drops, "RESULTS": results}

    def make(taken_away: set[str]) -> Guarded:
        of_drops, of_results = policies()
        for bucket, policy in ((drops, without(of_drops, taken_away)), (results, of_results)):
            text = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], json.dumps(policy))
            owner.put_bucket_policy(Bucket=bucket, Policy=text)
        point_at(replace(server, access_key=name, secret_key=name))
        home = home_at("unused", tmp_path)
        problem = home.problem.model_copy(
            update={"drops": f"s3://{drops}/drops/", "results": f"s3://{results}/results/"}
        )
        return Guarded(
            replace(home, problem=problem, drops=open_store(problem.drops), results=open_store(problem.results)),
            owner,
            drops,
            results,
        )

    return make


def test_the_policies_are_enough(guarded: Callable[[set[str]], Guarded]) -> None:
    place = guarded(set())
    place.write_drop()
    watcher = place.home.app.watcher(place.home.problem)
    assert place.polls(watcher) == ["committed"]
    assert place.keys(place.drops) == ["drops/dt=1/_SUCCESS"]
    assert place.polls(watcher) == []


def test_without_deletes_results_are_published_inputs_stay_and_nothing_is_done_twice(
    guarded: Callable[[set[str]], Guarded],
) -> None:
    place = guarded(DELETES)
    place.write_drop()
    watcher = place.home.app.watcher(place.home.problem)
    with capture_logs() as logs:
        assert place.polls(watcher) == ["committed"]
    (alert,) = [line for line in logs if line["event"] == "inputs_retained"]
    assert (alert["log_level"], alert["denied"]) == ("warning", 1)
    assert sorted(place.keys(place.drops)) == ["drops/dt=1/_SUCCESS", f"drops/dt=1/{PART}"]
    (run,) = [key for key in place.keys(place.results) if key.endswith("COMMIT.json")]
    assert read_commit(place.home.results, "return", run.split("/")[-2]).keep_inputs is False
    for another in (watcher, place.home.app.watcher(place.home.problem)):
        assert place.polls(another) == []


def test_there_is_no_right_beyond_them(guarded: Callable[[set[str]], Guarded], servers: Servers) -> None:
    place = guarded(set())
    server: Server = servers("ceph")
    other = fresh_bucket(server)
    with pytest.raises(StorageError, match="AccessDenied"):
        place.home.drops.write("x", b"not a reader's business")
    with pytest.raises(StorageError, match="AccessDenied"):
        open_store(f"s3://{other}").write("x", b"not ours")
    with pytest.raises(ClientError, match="AccessDenied"):
        place.home.results._client.put_bucket_versioning(  # pyright: ignore[reportAttributeAccessIssue]
            Bucket=place.results, VersioningConfiguration={"Status": "Enabled"}
        )


def test_without_the_right_to_read_the_service_waits_and_says_what_to_grant(
    guarded: Callable[[set[str]], Guarded],
) -> None:
    place = guarded({"s3:ListBucket"})
    place.write_drop()
    with capture_logs() as logs:
        assert place.polls(place.home.app.watcher(place.home.problem)) == []
    assert any("Grant this identity list, get, put and delete" in str(line) for line in logs)
    assert len(place.keys(place.drops)) == 2
