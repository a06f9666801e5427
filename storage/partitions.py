"""Columns that a writer put into the path: `dt=2026-01-01/` says dt of every row below it (Hive's layout).

The values are text, percent-encoded as Spark and Hive write them; one value stands for null.
"""

from urllib.parse import unquote

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_values(key: str) -> dict[str, str | None]:
    """Return the partition columns that the folders of `key` declare, in order.

    >>> partition_values("game/dt=2026-01-01/service=a%2Fb/part-0.parquet")
    {'dt': '2026-01-01', 'service': 'a/b'}
    """
    folders = key.split("/")[:-1]
    pairs = (folder.split("=", 1) for folder in folders if "=" in folder[1:])
    return {unquote(name): None if value == _NULL else unquote(value) for name, value in pairs}
