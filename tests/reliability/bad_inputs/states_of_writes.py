"""Every state in which a writer can be stopped, and what tables and tools leave beside parts."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from storage.keys import MARKER
from tests.reliability.bad_inputs.cases import (
    COMMITTED,
    N_ROWS,
    WAITS,
    WRITE,
    Case,
    Write,
    body,
    columns,
    files,
    part_name,
)

_OTHER = WRITE.replace("0f7c", "1f7c")
_ONE, _TWO = body(columns(N_ROWS // 2)), body(columns(N_ROWS // 2, N_ROWS // 2))
GOOD = {part_name(0): _ONE, part_name(1): _TWO}
_DAY = 86_400.0


def _and(extra: Mapping[str, bytes], marker: bytes | None = b"") -> Write:
    return files({**GOOD, **extra}, marker)


def _named(*names: str) -> bytes:
    return json.dumps({"name": "org.apache.hadoop.fs.s3a.commit.files.SuccessData/1", "filenames": names}).encode()


def _dated(name: str, seconds: float) -> Write:
    """Return what writes a good drop in which one file is so many seconds younger than now."""

    def write(folder: Path) -> None:
        files(GOOD)(folder)
        moment = max(time.time() + seconds, 0.0)
        os.utime(folder / name, (moment, moment))

    return write


def _with_fifo(folder: Path) -> None:
    files(GOOD)(folder)
    os.mkfifo(folder / part_name(7))


def _with_links(folder: Path) -> None:
    files(GOOD)(folder)
    (folder / "dangling").symlink_to(folder / "nowhere")


def _marker_is_a_folder(folder: Path) -> None:
    files(GOOD, marker=None)(folder)
    (folder / MARKER).mkdir()


CASES = [
    Case("as it should be", files(GOOD), COMMITTED),
    # A writer at work, or dead.
    Case(
        "only the temporary folder", files({"_temporary/0/" + part_name(): _ONE}, None), WAITS, "there is no _SUCCESS"
    ),
    Case(
        "temporary folder beside parts",
        _and({"_temporary/0/_temporary/attempt_1/" + part_name(2): _ONE}),
        WAITS,
        "_temporary",
    ),
    Case("hidden file in the temporary folder", _and({"_temporary/0/.keep": b""}), COMMITTED),
    Case("staging folder", _and({f".spark-staging-{_OTHER}/dt=1/{part_name(2)}": _ONE}), WAITS, ".spark-staging-"),
    Case("magic committer", _and({"__magic_job-1/tasks/x.pending": b"{}"}), WAITS, "__magic"),
    Case("old magic committer", _and({"__magic/tasks/x.pendingset": b"{}"}), WAITS, "__magic"),
    Case("transaction that has started", _and({"_started_42": b"{}"}), WAITS, "transaction 42"),
    Case(
        "one of two transactions committed",
        _and({"_started_1": b"", "_started_2": b"", "_committed_1": b""}),
        WAITS,
        "transaction 2",
    ),
    Case("transaction that has committed", _and({"_started_42": b"{}", "_committed_42": b"{}"}), COMMITTED),
    Case("parts and no marker", files(GOOD, None), WAITS, "there is no _SUCCESS"),
    Case("overwrite has deleted the parts under the old marker", files({}), "EmptyDrop", "no parts beside the marker"),
    Case("overwrite has deleted one part", _and({}, _named(*GOOD, part_name(2))), WAITS, part_name(2)),
    Case(
        "append has landed under the old marker",
        _and({f"part-00000-{_OTHER}-c000.snappy.parquet": _TWO}),
        WAITS,
        "2 writes",
    ),
    Case(
        "append to a drop of three writes",
        _and({f"part-0000{i}-{_OTHER.replace('1f', f'{i}f')}-c000.parquet": _TWO for i in (3, 4)}),
        WAITS,
        "3 writes",
    ),
    Case("part younger than the marker", _dated(part_name(0), 5.0), WAITS, "newer than the marker"),
    Case("part of tomorrow", _dated(part_name(1), _DAY), WAITS, "newer than the marker"),
    Case("part of next century", _dated(part_name(1), 36_500 * _DAY), WAITS, "newer than the marker"),
    Case("marker of an hour ago", _dated(MARKER, -3600.0), WAITS, "newer than the marker"),
    Case("marker of 1970", _dated(MARKER, -1e12), WAITS, "newer than the marker"),
    Case("marker of tomorrow", _dated(MARKER, _DAY), COMMITTED),
    Case("part of 1970", _dated(part_name(0), -1e12), COMMITTED),
    # Markers.
    Case("marker that names its parts", _and({}, _named(*GOOD)), COMMITTED),
    Case(
        "marker that names its parts by their URL",
        _and({}, _named(*(f"s3a://lake/x/{name}" for name in GOOD))),
        WAITS,
        "which is not there",
    ),
    Case("marker that names one part too few", _and({}, _named(part_name(0))), WAITS, "does not name it"),
    Case(
        "marker that names a hundred parts",
        _and({}, _named(*GOOD, *(f"part-{i}" for i in range(98)))),
        WAITS,
        "which is not there",
    ),
    Case("marker with an empty list", _and({}, _named()), WAITS, "does not name it"),
    Case("marker with torn JSON", _and({}, _named(*GOOD)[:-9]), COMMITTED),
    Case("marker with text", _and({}, b"done\n"), COMMITTED),
    Case("marker with a megabyte of noise", _and({}, bytes(range(256)) * 4096), COMMITTED),
    Case("marker with a JSON list", _and({}, b"[1, 2]"), COMMITTED),
    Case("marker with deep JSON", _and({}, b"[" * 100_000), COMMITTED),
    Case("marker with numbers for names", _and({}, b'{"filenames": [1, null, {"a": 2}]}'), WAITS, "which is not there"),
    Case("marker in lower case", _and({"_success": b""}, None), WAITS, "there is no _SUCCESS"),
    Case("checksum of a marker only", _and({"._SUCCESS.crc": b"crc"}, None), WAITS, "there is no _SUCCESS"),
    Case("marker that is a folder", _marker_is_a_folder, WAITS, "there is no _SUCCESS"),
    Case("marker alone", files({}), "EmptyDrop", "no parts beside the marker"),
    # Tables that have a log of their own.
    Case("Delta table", _and({"_delta_log/00000000000000000000.json": b"{}"}), WAITS, "Delta"),
    Case("Iceberg table", _and({"metadata/v1.metadata.json": b"{}"}), WAITS, "Iceberg"),
    # What lies beside parts.
    Case("checksums of Hadoop", _and({f".{part_name()}.crc": b"crc", "._SUCCESS.crc": b"crc"}), COMMITTED),
    Case("readme", _and({"README.md": b"# hello"}), COMMITTED),
    Case("csv beside parts", _and({"part-00002.csv": b"1,2"}), COMMITTED),
    Case("summary files of parquet", _and({"_metadata": b"x", "_common_metadata": b"x"}), COMMITTED),
    Case("hidden part", _and({"." + part_name(2): b"torn"}), COMMITTED),
    Case("underscored part", _and({"_" + part_name(2): b"torn"}), COMMITTED),
    Case("part of another name", _and({"data_0.parquet": _ONE}), WAITS, "not called part-"),
    Case("part in capitals", _and({"PART-0.PARQUET": _ONE}), WAITS, "not called part-"),
    Case("zero-byte part", _and({part_name(2): b""}), "CorruptObject", part_name(2)),
    Case("pipe that is named like a part", _with_fifo, COMMITTED),
    Case("dangling link", _with_links, COMMITTED),
    # Partitions.
    Case(
        "partitions of Hive",
        files({f"dt={i}/{name}": content for i, (name, content) in enumerate(GOOD.items())}),
        COMMITTED,
    ),
    Case("default partition of Hive", files({f"c=__HIVE_DEFAULT_PARTITION__/{part_name()}": body()}), COMMITTED),
    Case("escaped partition", files({f"c=a%2Fb%20c/{part_name()}": body()}), COMMITTED),
    Case("partition that is a column of the file", files({f"c0=1/{part_name()}": body()}), COMMITTED),
    Case("part in a folder that is no partition", files({f"2026/01/{part_name()}": body()}), COMMITTED),
    Case("marker in the folder below", files({"a/" + part_name(): body(), "a/" + MARKER: b""}, None), COMMITTED),
]
