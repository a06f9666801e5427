"""One file, several readers, each with a place of its own."""

import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from storage import sharing
from storage.sharing import SharedFile

BODY = bytes(range(256)) * 4096


def opened(kind: str, folder: Path) -> BinaryIO:
    if kind == "memory":
        return io.BytesIO(BODY)
    if kind == "nameless":
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the test closes it
        file.write(BODY)
        file.flush()
        return file  # pyright: ignore[reportReturnType]
    (folder / "part").write_bytes(BODY)
    file = (folder / "part").open("rb")
    (folder / "part").unlink()
    (folder / "part").write_bytes(b"another object took the name")
    return file


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("kind", ["memory", "nameless", "renamed"])
def test_readers_do_not_disturb_each_other_and_leave_the_file_open(
    kind: str, is_large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_IN_MEMORY_BYTES", 1000 if is_large else 10**9)
    with opened(kind, tmp_path) as file:
        shared = SharedFile(file)

        def reads(start: int) -> bool:
            reader = shared.reader()
            places = range(start, len(BODY) - 64, 4099)
            return all(reader.seek(at) == at and reader.read(64) == BODY[at : at + 64] for at in places)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(reads, range(8))) == [True] * 8
        shared.close_readers()
        assert not file.closed
        assert shared.size == len(BODY)
