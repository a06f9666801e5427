"""A producer as Spark is one: parts, then the marker; it replaces, appends and deletes, and never says so.

It writes to the server directly. Between two of its steps less time passes than drops need to settle: what is slower
is the residual risk that docs/protocol.md states.
"""

import json
import random
from dataclasses import dataclass, field
from uuid import UUID

from storage.keys import MANIFEST, MARKER
from tests.reliability.memory_s3 import MemoryS3, Stored
from tests.reliability.simulation.schedule import Schedule

BUCKET = "drops"
WHO = "producer"
STEP_SECONDS = 20.0


@dataclass(eq=False)
class Generation:
    """One write of one drop.

    Attributes:
        folder: where.
        parts: what it wrote, by key.
        is_whole: whether all of it is written, marker included.
        is_disturbed: whether the producer has touched the folder since: then the drop may be taken or not.
        after: what an append was added to.
    """

    folder: str
    parts: dict[str, Stored] = field(default_factory=dict)
    is_whole: bool = False
    is_disturbed: bool = False
    after: "Generation | None" = None


class Producer:
    """Writes one folder, again and again.

    Args:
        random: of the schedule.
        schedule: the clock.
        server: where.
        folder: the folder, ending in "/".
        marker_kind: what stands in its markers: "empty", "text" (always the same), "json" (the names of its parts);
            "manifest": the same under the name of a manifest; "none": it leaves no marker.
        is_unique: whether its parts carry the UUID of their write, as Spark's do, or have the same names every time.
    """

    def __init__(
        self,
        random: random.Random,
        schedule: Schedule,
        server: MemoryS3,
        folder: str,
        marker_kind: str,
        *,
        is_unique: bool,
    ) -> None:
        self._random = random
        self._schedule = schedule
        self._server = server
        self._folder = folder
        self._marker_kind = marker_kind
        self._is_unique = is_unique
        self.generations: list[Generation] = []
        self.is_done = False

    def work(self) -> None:
        """Write a drop, and then perhaps replace it, append to it, or delete it."""
        self._schedule.sleep(self._random.uniform(0, 600))
        self._write(after=None)
        for _ in range(self._random.choice([0, 0, 1, 1, 2])):
            self._schedule.sleep(self._random.choice([self._random.uniform(0, 200), self._random.uniform(0, 3000)]))
            self._random.choice([self._replace, self._append if self._is_unique else self._write_over, self._remove])()
        self.is_done = True

    def _step(self) -> None:
        self._schedule.sleep(self._random.uniform(0, STEP_SECONDS))

    def _write(self, after: Generation | None, n_parts: int | None = None) -> None:
        generation = Generation(self._folder, after=after)
        self.generations.append(generation)
        write = UUID(int=self._random.getrandbits(128), version=4)
        for number in range(n_parts or self._random.randint(1, 3)):
            self._step()
            name = f"part-{number:05d}-{write}-c000.snappy.parquet" if self._is_unique else f"part-{number}.parquet"
            key = self._folder + name
            body = f"{key} {len(self.generations)}".encode()
            generation.parts[key] = self._server.put(WHO, BUCKET, key, body)
        self._step()
        if self._marker_kind != "none":
            name = MANIFEST if self._marker_kind == "manifest" else MARKER
            self._server.put(WHO, BUCKET, self._folder + name, self._marker_body(generation))
        generation.is_whole = True

    def _marker_body(self, generation: Generation) -> bytes:
        names = json.dumps({"filenames": sorted(generation.parts)}).encode()
        return {"empty": b"", "text": b"done\n"}.get(self._marker_kind, names)

    def _disturb(self) -> None:
        for generation in self.generations:
            generation.is_disturbed = True

    def _replace(self) -> None:
        """Overwrite as Spark's static mode does: old parts go under the old marker, which goes in between or last."""
        self._disturb()
        self._delete_all(marker_too=self._random.random() < 0.5)
        self._write(after=None)

    def _write_over(self) -> None:
        """Put as many parts of the same names over the old ones."""
        self._disturb()
        self._write(after=None, n_parts=len(self.generations[-1].parts))

    def _append(self) -> None:
        last = self.generations[-1]
        is_there = any(self._server.there(BUCKET, key) for key in last.parts)
        self._disturb()
        self._write(after=last if is_there else None)

    def _remove(self) -> None:
        self._disturb()
        self._delete_all(marker_too=True)

    def _delete_all(self, *, marker_too: bool) -> None:
        keys = sorted(key for key in self._server.buckets[BUCKET] if key.startswith(self._folder))
        self._random.shuffle(keys)
        for key in keys:
            there = self._server.there(BUCKET, key)
            if there is None or (not key.endswith(".parquet") and not marker_too):
                continue
            self._step()
            there = self._server.there(BUCKET, key)
            if there is not None:
                remove = self._server.hide if self._server.keeps_versions else self._server.delete
                remove(WHO, BUCKET, key, there)
