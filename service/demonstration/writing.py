"""Writes a demonstration's drop as Spark would: parts with the UUID of one write, the marker last."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from service.demonstration.players import Players
from storage import ObjectStore
from storage.keys import MARKER, new_nonce


@dataclass(frozen=True, slots=True)
class WrittenDrop:
    """A drop whose parts are there.

    Attributes:
        store: where.
        folder: which folder of it, ending in "/".
    """

    store: ObjectStore
    folder: str

    @property
    def url(self) -> str:
        """Absolute URL of the folder."""
        return self.store.url + self.folder

    @property
    def truth_url(self) -> str:
        """Absolute URL of the truth file."""
        return self.store.url + truth_key(self.folder)

    def close(self) -> None:
        """Declare the drop finished."""
        self.store.write(self.folder + MARKER, b"")


def write_parts(store: ObjectStore, players: Players) -> WrittenDrop:
    """Write the parts of a drop into a fresh folder, and the truth beside it; `close` writes the marker."""
    nonce, folder = new_nonce(), fresh_folder()
    for index, block in enumerate(players.blocks()):
        sink = io.BytesIO()
        block.to_parquet(sink, index=False)
        store.write(f"{folder}part-{index:05d}-{nonce}-c000.snappy.parquet", sink.getvalue())
    truth = {**players.truth.to_json(), "best_auc": players.best_auc}
    store.write(truth_key(folder), json.dumps(truth, indent=1).encode())
    return WrittenDrop(store, folder)


def fresh_folder() -> str:
    """Return the name, ending in "/", of a folder that nobody else writes to."""
    return f"drop-{datetime.now(UTC):%Y%m%dT%H%M%S}-{new_nonce()[:4]}/"


def truth_key(folder: str) -> str:
    """Return the key of the truth file: beside the folder of the drop, not in it."""
    return f"{folder.rstrip('/')}.truth.json"
