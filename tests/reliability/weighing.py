"""What processes hold: open files, and resident memory."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path


def weight_of(pids: Iterable[int]) -> Counter[str]:
    """Return the open files ("handles") and the resident bytes ("bytes") of these processes together."""
    weight = Counter[str]()
    for pid in pids:
        weight["handles"] += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        weight["bytes"] += pages * os.sysconf("SC_PAGE_SIZE")
    return weight
