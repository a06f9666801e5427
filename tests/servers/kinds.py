"""The servers that the product is tried on, each by its name: what it needs, and how it is started.

moto        the tests' default; in Python
ministack   exact conditions on PUT and DELETE
ceph        a real one: signatures, policies; ignores conditions on DELETE
rclone      ignores conditions on PUT: must be refused
s3rver      the same
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.requirements import require
from tests.servers.ceph import NEEDED, ceph
from tests.servers.server import HOST, Server, free_port, running

# Two servers need other versions of our own dependencies, or Node: `make servers` puts them here.
FOLDER = Path(os.environ.get("WINNOW_TEST_SERVERS", ROOT / ".servers"))
_BIN = FOLDER / "venv/bin"
_S3RVER = FOLDER / "node_modules/.bin/s3rver"


@dataclass(frozen=True)
class Kind:
    """A kind of server.

    Attributes:
        start: starts one that keeps its files in a folder.
        is_there: whether it can be started.
        needs: how people call what it needs.
    """

    start: Callable[[Path], AbstractContextManager[Server]]
    is_there: Callable[[], bool]
    needs: str


def started(name: str, folder: Path) -> AbstractContextManager[Server]:
    """Start a server, or skip the test (fail it where all servers are promised).

    Args:
        name: a key of KINDS.
        folder: for its files; it must exist.
    """
    kind = KINDS[name]
    require(kind.is_there(), kind.needs)
    return kind.start(folder)


@contextmanager
def _moto(folder: Path) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with running(command, port, folder / "moto.log"):
        yield Server(f"http://{HOST}:{port}")


@contextmanager
def _ministack(folder: Path) -> Iterator[Server]:
    port = free_port()
    places = {"BIND_HOST": HOST, "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR", "TMPDIR": str(folder)}
    with running([str(_BIN / "ministack")], port, folder / "ministack.log", places):
        yield Server(f"http://{HOST}:{port}")


@contextmanager
def _rclone(folder: Path) -> Iterator[Server]:
    port, buckets = free_port(), folder / "buckets"
    buckets.mkdir()
    command = [str(_BIN / "rclone"), "serve", "s3", "--addr", f"{HOST}:{port}", "--auth-key", "test,test", str(buckets)]
    with running(command, port, folder / "rclone.log", {"RCLONE_CONFIG": str(folder / "rclone.conf")}):
        yield Server(f"http://{HOST}:{port}")


@contextmanager
def _s3rver(folder: Path) -> Iterator[Server]:
    port = free_port()
    command = [str(_S3RVER), "--address", HOST, "--port", str(port), "--directory", str(folder), "--silent"]
    with running(command, port, folder / "s3rver.log"):
        yield Server(f"http://{HOST}:{port}", access_key="S3RVER", secret_key="S3RVER")  # noqa: S106 - its own default


KINDS = {
    "moto": Kind(_moto, lambda: True, "moto"),
    "ministack": Kind(_ministack, (_BIN / "ministack").exists, "ministack (make servers)"),
    "ceph": Kind(
        ceph, lambda: all(map(shutil.which, NEEDED)), "Ceph (apt install radosgw ceph-mon ceph-osd ceph-common)"
    ),
    "rclone": Kind(_rclone, (_BIN / "rclone").exists, "rclone (make servers)"),
    "s3rver": Kind(_s3rver, _S3RVER.exists, "s3rver (make servers, with Node)"),
}
