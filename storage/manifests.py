"""Which files a marker or a manifest names: the forms that writers of the field use, as one mapping.

{"filenames": ["s3a://bucket/dt=1/part-0.parquet", ...]}                          S3A committers, in _SUCCESS
{"files": ["part-0.parquet", {"name": "part-1.parquet", "size": 1234}]}           by hand
{"entries": [{"url": "s3://bucket/part-0", "meta": {"content_length": 1234}}]}    Redshift UNLOAD
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_AUTHORITY = re.compile(r"^[A-Za-z][\w+.-]*:(?://[^/]*)?(?=/)")  # s3a://bucket, file://, or Hadoop's file:
_LISTS = ("filenames", "files", "entries")
_NAMES = ("name", "path", "key", "url")


def named_files(body: bytes) -> dict[str, int | None] | None:
    """Return the size in bytes, where it is given, of every file that a JSON body names; None for any other body.

    Args:
        body: of the marker; names come back without scheme, bucket and leading "/".
    """
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or nested deeper than any manifest
        return None
    if not isinstance(content, dict):
        return None
    values = cast("Mapping[str, object]", content)
    lists = [cast("list[object]", values[key]) for key in _LISTS if isinstance(values.get(key), list)]
    return dict(_named(entry) for entry in lists[0]) if lists else None


def without_authority(name: str) -> str:
    """Return a name without scheme, bucket and leading "/"."""
    return _AUTHORITY.sub("", name).lstrip("/")


def _named(entry: object) -> tuple[str, int | None]:
    if not isinstance(entry, dict):
        return without_authority(str(entry)), None
    values = cast("Mapping[str, object]", entry)
    name = next((str(values[key]) for key in _NAMES if key in values), "")
    size = next((size for size in _sizes(values) if isinstance(size, int)), None)
    return without_authority(name), size


def _sizes(values: Mapping[str, object]) -> Iterator[object]:
    meta = values.get("meta")
    yield values.get("size")
    yield cast("Mapping[str, object]", meta).get("content_length") if isinstance(meta, dict) else None
