"""The main job on real data: Spark writes, a real S3 server or a folder holds, the real command runs as a process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.requirements import java_available, require

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.real_server

REPOSITORY = Path(__file__).parents[2]
LINES = REPOSITORY.parent / "shared" / "data" / "online_retail_transactions.parquet"
WINNOW = Path(sys.executable).with_name("winnow")


@dataclass(frozen=True)
class Drops:
    """What Spark wrote: the same data twice."""

    wide: Path
    long: Path


@pytest.fixture(scope="module")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Drops:
    """Let Spark pivot the raw lines."""
    require(java_available(), "a Java 17 runtime")
    if not LINES.exists():
        pytest.skip(f"needs {LINES.name} in ../shared/data")
    folder = tmp_path_factory.mktemp("spark")
    written = Drops(folder / "wide", folder / "long")
    script = Path(__file__).with_name("spark_retail.py")
    command = [sys.executable, str(script), str(LINES), str(written.wide), str(written.long)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return written


@pytest.fixture(scope="module")
def columns(drops: Drops) -> list[str]:
    """Return the columns of the drop that are features."""
    part = next(drops.wide.glob("part-*.parquet"))
    return sorted(set(pq.read_schema(part).names) - {"user_id", "active"})


def configure(folder: Path, drops: str, results: str, *, shape: str = "wide", keep: bool = False) -> Path:
    """Write a configuration with one problem; the attributions are fewer than by default, all else is as it comes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "retail.yaml").write_text(
        f"problem: retail\ndrops: {drops}\nresults: {results}\n"
        f"complete: {{settle_seconds: 0.5}}\ntable: {{id: user_id, label: active, shape: {shape}}}\n"
        f"explain: {{rows: 300, background: 16}}\nkeep_inputs: {str(keep).lower()}\n"
    )
    service = folder / "winnow.yaml"
    service.write_text("problems: [retail.yaml]\nlog: {format: json}\n")
    return service


def watch_once(service: Path) -> list[dict[str, Any]]:
    """Run one pass of the service; return its log."""
    command = [str(WINNOW), "watch", "--config", str(service), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def upload(client: "S3Client", folder: Path, bucket: str, prefix: str) -> None:
    """Put the files of a drop where a job would leave them, the marker last."""
    for path in sorted(folder.glob("part-*.parquet")):
        client.upload_file(str(path), bucket, prefix + path.name)
    client.put_object(Bucket=bucket, Key=f"{prefix}_SUCCESS", Body=b"")


def test_a_spark_drop_on_s3_becomes_a_run_and_its_inputs_go(
    drops: Drops,
    columns: list[str],
    s3_root: str,
    s3_client: "S3Client",
    tmp_path: Path,
) -> None:
    bucket = s3_root.split("/")[2]
    service = configure(tmp_path, f"s3://{bucket}/drops/", f"s3://{bucket}/results/")

    def keys(prefix: str) -> list[str]:
        found = s3_client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [item.get("Key", "") for item in found]

    def run_ids() -> set[str]:
        return {key.split("/")[3] for key in keys("results/retail/runs/") if key.endswith("COMMIT.json")}

    upload(s3_client, drops.wide, bucket, "drops/day/")
    watch_once(service)
    latest = json.loads(s3_client.get_object(Bucket=bucket, Key="results/retail/latest.json")["Body"].read())
    target = tmp_path / "features.parquet"
    s3_client.download_file(bucket, f"results/{latest['attempt']}features.parquet", str(target))
    assert sorted(pd.read_parquet(target)["feature"]) == columns
    # An empty marker on a bucket without versions cannot be deleted exactly: it stays, and is no drop any more.
    assert keys("drops/") == ["drops/day/_SUCCESS"]
    first = run_ids()
    assert len(first) == 1

    assert not [line for line in watch_once(service) if line["event"] == "run_committed"]
    assert run_ids() == first

    upload(s3_client, drops.wide, bucket, "drops/day/")
    watch_once(service)
    assert len(run_ids()) == 2
    assert keys("drops/") == ["drops/day/_SUCCESS"]


@pytest.fixture(scope="module")
def run_locally(drops: Drops, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return a function that runs the wide or the long drop in a folder of its own, and gives the attempt's folder."""

    def run(shape: str, name: str) -> Path:
        home = tmp_path_factory.mktemp(name)
        shutil.copytree(getattr(drops, shape), home / "drops" / "day")
        service = configure(home, "drops/", "results/", shape=shape)
        watch_once(service)
        assert not list((home / "drops").rglob("part-*"))
        assert not list((home / "drops").rglob("_SUCCESS"))
        latest = json.loads((home / "results/retail/latest.json").read_text())
        return home / "results" / latest["attempt"]

    return run


@pytest.fixture(scope="module")
def wide_run(run_locally: Callable[[str, str], Path]) -> Path:
    """The attempt of the wide drop."""
    return run_locally("wide", "wide")


def test_two_runs_of_one_drop_leave_the_same_bytes(wide_run: Path, run_locally: Callable[[str, str], Path]) -> None:
    again = run_locally("wide", "again")
    assert (again / "features.csv").read_bytes() == (wide_run / "features.csv").read_bytes()


def test_the_long_and_the_wide_drop_give_the_same_table(
    wide_run: Path, run_locally: Callable[[str, str], Path], columns: list[str]
) -> None:
    long_run = run_locally("long", "long")
    table = pd.read_csv(wide_run / "features.csv")
    assert sorted(table["feature"]) == columns
    pd.testing.assert_frame_equal(pd.read_csv(long_run / "features.csv"), table)


def test_the_net_is_not_behind_logistic_regression(wide_run: Path) -> None:
    models = json.loads((wide_run / "metrics.json").read_text())["test"]
    assert models["net"]["auc"]["value"] >= models["logistic_regression"]["auc"]["value"] - 0.005


def test_a_half_written_drop_is_left_alone(drops: Drops, tmp_path: Path) -> None:
    unmarked, writing = tmp_path / "drops" / "unmarked", tmp_path / "drops" / "writing"
    shutil.copytree(drops.wide, unmarked, ignore=shutil.ignore_patterns("*_SUCCESS*"))
    shutil.copytree(drops.wide, writing)
    (writing / "_temporary" / "0").mkdir(parents=True)
    (writing / "_temporary" / "0" / "part-00009.parquet").write_bytes(b"half")
    before = sorted((tmp_path / "drops").rglob("part-*"))
    watch_once(configure(tmp_path, "drops/", "results/"))
    assert sorted((tmp_path / "drops").rglob("part-*")) == before
    assert not (tmp_path / "results" / "retail" / "runs").exists()
    assert not (tmp_path / "results" / "retail" / "quarantine").exists()
