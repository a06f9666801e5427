"""A Ceph of one machine for some minutes: a monitor, a store in memory, and the gateway that speaks S3."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.server import HOST, Server, free_port, wait_for

NEEDED = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool", "ceph-authtool")
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - of a server that lives for a minute
_GIB = 1 << 30

_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}/0]
mon initial members = a
public network = 127.0.0.0/8
ms bind ipv6 = false
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {bytes}
log file = {folder}/$name.log
pid file = {folder}/$name.pid
admin socket = {folder}/$name.asok
run dir = {folder}
keyring = {folder}/keyring
mon data avail crit = 1
mon data avail warn = 2
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw dns name = localhost
rgw data = {folder}/rgw
"""
_KEYS = (
    ("mon.", ("mon", "allow *")),
    ("client.rgw", ("mon", "allow *", "osd", "allow *")),
    ("client.admin", ("mon", "allow *", "osd", "allow *")),
    ("osd.0", ("mon", "allow profile osd", "osd", "allow *")),
)


@contextmanager
def ceph(folder: Path) -> Iterator[Server]:
    """Start a Ceph, and end its daemons with the context."""
    ports = {"mon": free_port(), "rgw": free_port()}
    fsid = str(uuid.uuid4())
    (folder / "ceph.conf").write_text(_CONF.format(fsid=fsid, folder=folder, bytes=4 * _GIB, **ports), encoding="utf-8")
    try:
        _set_up(folder, fsid, ports["mon"])
        wait_for(ports["rgw"], None, folder / "client.rgw.log")
        new_user(folder, "root", ACCESS_KEY, SECRET_KEY)
        yield Server(f"http://{HOST}:{ports['rgw']}", ACCESS_KEY, SECRET_KEY, folder)
    finally:
        for name in ("client.rgw", "osd.0", "mon.a"):
            _end(folder / f"{name}.pid")


def new_user(folder: Path, name: str, access_key: str, secret_key: str) -> None:
    """Let somebody in; what they may do is for the bucket policies to say."""
    keys = (f"--access-key={access_key}", f"--secret-key={secret_key}")
    _run(folder, "radosgw-admin", "user", "create", f"--uid={name}", f"--display-name={name}", *keys)


def _set_up(folder: Path, fsid: str, port: int) -> None:
    keyring, monmap = folder / "keyring", folder / "monmap"
    keyring.touch()
    for name, caps in _KEYS:
        pairs = zip(caps[::2], caps[1::2], strict=True)
        given = [word for service, cap in pairs for word in ("--cap", service, cap)]
        _run(folder, "ceph-authtool", str(keyring), "--gen-key", "-n", name, *given)
    _run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{port}/0]", str(monmap))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    _run(folder, "ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(keyring))
    _run(folder, "ceph-mon", "-i", "a")
    osd_uuid = str(uuid.uuid4())
    _run(folder, "ceph", "--connect-timeout", "30", "osd", "new", osd_uuid)
    (folder / "osd/keyring").write_bytes(keyring.read_bytes())
    _run(folder, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_uuid)
    _run(folder, "ceph-osd", "-i", "0")
    _run(folder, "ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=h0")
    _run(folder, "radosgw", "-n", "client.rgw", f"--rgw-data={folder}/rgw")


def _run(folder: Path, *command: str) -> None:
    environment = {**os.environ, "CEPH_CONF": str(folder / "ceph.conf")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr[-2000:]}")


def _end(pid_file: Path) -> None:
    """End a daemon, by the id that it wrote down."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        for _ in range(50):
            time.sleep(0.1)
            os.kill(pid, 0)
        os.kill(pid, signal.SIGKILL)
