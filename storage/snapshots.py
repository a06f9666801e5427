"""The exact objects of one finished drop, and the name that follows from them.

Two snapshots with one drop_id name the same versions of the same objects; an object replaced in between gives another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.keys import digest
from storage.store import ObjectInfo


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a drop consists of.

    Attributes:
        url: absolute URL of its folder, ending in "/".
        prefix: the folder within its store, ending in "/"; empty at the root.
        marker: the object that declares the drop finished.
        parts: its data, sorted by key; empty for a marker without data.
    """

    url: str
    prefix: str
    marker: ObjectInfo
    parts: tuple[ObjectInfo, ...]

    @property
    def drop_id(self) -> str:
        """The content-addressed name: 32 hex digits.

        Keys count relative to the folder, so that a drop has one name however its store is rooted. The marker counts
        with its time: every empty marker of S3 has the same etag.
        """
        parts = [_identity(self.prefix, part) for part in self.parts]
        return digest(self.url, parts, _identity(self.prefix, self.marker), self.marker.modified.isoformat())

    @property
    def store_url(self) -> str:
        """The root of the store that the keys are relative to."""
        return self.url.removesuffix(self.prefix)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; `from_json` is the exact inverse."""
        return {
            "url": self.url,
            "prefix": self.prefix,
            "marker": _info_to_json(self.marker),
            "parts": [_info_to_json(part) for part in self.parts],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Snapshot":
        """Return the snapshot that `to_json` wrote."""
        parts = tuple(_info_from_json(part) for part in values["parts"])
        return cls(values["url"], values["prefix"], _info_from_json(values["marker"]), parts)


def _identity(prefix: str, info: ObjectInfo) -> list[str | int | None]:
    return [info.key.removeprefix(prefix), info.size, info.etag, info.version]


def _info_to_json(info: ObjectInfo) -> dict[str, Any]:
    return {
        "key": info.key,
        "size": info.size,
        "etag": info.etag,
        "version": info.version,
        "modified": info.modified.isoformat(),
    }


def _info_from_json(values: Mapping[str, Any]) -> ObjectInfo:
    modified = datetime.fromisoformat(values["modified"])
    return ObjectInfo(values["key"], values["size"], values["etag"], values["version"], modified)
