"""Runs one command as a process of its own and measures it from outside: wall time, resident memory, stages.

A thread reads the resident memory of the whole process tree every 20 ms. Each line of output that is JSON with
`"event": "stage_finished"` ends a stage: `winnow run` writes such lines when it is not on a terminal, the peers write
them with benchmarks.stages. The peak of a stage is the largest sample between its begin and its end; the peak of all
is also never below the kernel's own high-water mark of the process, which misses no burst.
"""

import json
import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

_INTERVAL_SECONDS = 0.02
_SAMPLES_PER_LOOK = 10  # between two looks for new children
_TAIL_LINES = 30
_KIB = 1024
_PROC = Path("/proc")
_MEMORY = re.compile(rb"VmHWM:\s+(\d+) kB\s+VmRSS:\s+(\d+) kB")
_OWN_KEYS = frozenset({"event", "stage", "seconds", "shares", "timestamp", "level", "problem", "drop_id"})


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a process.

    Attributes:
        name: as the process calls it.
        seconds: measured.
        peak_bytes: resident memory of the process tree within the stage.
        shares: protocol -> the part of that protocol's work that was done; 1 where it is not named.
        facts: what else the process said of the stage.
    """

    name: str
    seconds: float
    peak_bytes: int
    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def seconds_under(self, protocol: str) -> float:
        """Seconds for the whole work of that protocol."""
        return self.seconds / self.shares.get(protocol, 1.0)

    def is_extrapolated(self, protocol: str) -> bool:
        """Whether only a part of that protocol's work was done."""
        return self.shares.get(protocol, 1.0) != 1.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one process.

    Attributes:
        wall_seconds: from start to end, as measured.
        peak_bytes: resident memory of the process tree.
        start_bytes: its peak before the first stage began: interpreter and libraries.
        exit_status: negative: killed by that signal.
        stages: in the order in which they ended.
        stopped_in: the stage in which the process was when it passed the memory limit, and was killed.
        tail: the last lines of its output, kept where it failed.
    """

    wall_seconds: float
    peak_bytes: int
    start_bytes: int
    exit_status: int
    stages: tuple[Stage, ...]
    stopped_in: str | None = None
    tail: tuple[str, ...] = ()

    @property
    def rest_seconds(self) -> float:
        """Start, end and everything between stages."""
        return max(0.0, self.wall_seconds - sum(stage.seconds for stage in self.stages))

    def seconds_under(self, protocol: str) -> float:
        """Seconds for the whole work of that protocol, extrapolated where only a part was measured."""
        return self.rest_seconds + sum(stage.seconds_under(protocol) for stage in self.stages)

    def stage(self, name: str) -> Stage | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)


def measurement_from(document: Mapping[str, Any]) -> Measurement:
    """Read what dataclasses.asdict made of a measurement."""
    stages = tuple(Stage(**stage) for stage in document["stages"])
    return Measurement(**{**document, "stages": stages, "tail": tuple(document["tail"])})


def median_of(measurements: Sequence[Measurement]) -> Measurement:
    """Median wall, peak and start, and the medians of every stage; what is no number is taken from the first."""
    first = measurements[0]
    found = [[run.stage(stage.name) or stage for run in measurements] for stage in first.stages]
    return Measurement(
        wall_seconds=median(run.wall_seconds for run in measurements),
        peak_bytes=int(median(run.peak_bytes for run in measurements)),
        start_bytes=int(median(run.start_bytes for run in measurements)),
        exit_status=max((run.exit_status for run in measurements), key=abs),
        stages=tuple(_median_stage(same) for same in found),
        stopped_in=first.stopped_in,
        tail=first.tail,
    )


def _median_stage(same: Sequence[Stage]) -> Stage:
    seconds, peak = median(stage.seconds for stage in same), median(stage.peak_bytes for stage in same)
    return Stage(same[0].name, seconds, int(peak), same[0].shares, same[0].facts)


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    limit_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Measurement:
    """Run a command to its end and measure it.

    Args:
        command: program and arguments.
        folder: to run it in.
        limit_bytes: kill the process when its tree is larger than this.
        environment: variables on top of those of this process.
    """
    begun = monotonic()
    process = subprocess.Popen(  # noqa: S603 - the commands are our own
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    sampler, heard = _Sampler(process.pid, limit_bytes), _Listener()
    sampler.start()
    try:
        heard.listen(process.stdout or ())
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        sampler.end()
        if process.stdout:
            process.stdout.close()
    wall = monotonic() - begun
    return Measurement(
        wall_seconds=round(wall, 3),
        peak_bytes=sampler.peak(),
        start_bytes=sampler.peak(until=heard.first_begin(begun + wall)),
        exit_status=status,
        stages=heard.stages(sampler),
        stopped_in=(heard.current or "start") if sampler.passed_limit else None,
        tail=tuple(heard.tail) if status else (),
    )


class _Listener:
    """What a process says of its stages, with the time at which it said so."""

    def __init__(self) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.current: str | None = None
        self._finished: list[tuple[float, dict[str, Any]]] = []

    def listen(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.tail.append(line.rstrip())
            said = _event(line)
            if said.get("event") == "stage_started":
                self.current = str(said["stage"])
            elif said.get("event") == "stage_finished":
                self.current = None
                self._finished.append((monotonic(), said))

    def first_begin(self, end: float) -> float:
        """When the first stage began; the end of the process if none ever did."""
        return min((at - _seconds(said) for at, said in self._finished), default=end)

    def stages(self, sampler: "_Sampler") -> tuple[Stage, ...]:
        return tuple(
            Stage(
                name=str(said["stage"]),
                seconds=_seconds(said),
                peak_bytes=sampler.peak(since=at - _seconds(said), until=at),
                shares=said.get("shares", {}),
                facts={key: value for key, value in said.items() if key not in _OWN_KEYS},
            )
            for at, said in self._finished
        )


class _Sampler(threading.Thread):
    """Samples the resident memory of a process and its descendants."""

    def __init__(self, pid: int, limit_bytes: int | None) -> None:
        super().__init__(daemon=True)
        self._pid, self._limit = pid, limit_bytes
        self._tree, self._high_water = [pid], 0
        self._samples: list[tuple[float, int]] = []
        self._ended = threading.Event()
        self.passed_limit = False

    def run(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            if len(self._samples) % _SAMPLES_PER_LOOK == 0:
                self._tree = _process_tree(self._pid)
            self._sample()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def peak(self, since: float = 0.0, until: float | None = None) -> int:
        """Bytes: the largest sample of that time; of all time where none is given."""
        if until is None:
            return max(self._high_water, max((used for _, used in self._samples), default=0))
        return max((used for at, used in self._samples if since - _INTERVAL_SECONDS <= at <= until), default=0)

    def _sample(self) -> None:
        found = [_resident_bytes(pid) for pid in self._tree]
        self._high_water = max([self._high_water, *(high for high, _ in found)])
        used = sum(now for _, now in found)
        self._samples.append((monotonic(), used))
        if self._limit is not None and used > self._limit and not self.passed_limit:
            self.passed_limit = True
            os.killpg(self._pid, signal.SIGKILL)


def _process_tree(pid: int) -> list[int]:
    """The process and its descendants."""
    children: list[int] = []
    for listed in _PROC.glob(f"{pid}/task/*/children"):
        try:
            children += [int(child) for child in listed.read_text(encoding="ascii").split()]
        except OSError:  # the thread has ended
            continue
    return [pid, *(found for child in children for found in _process_tree(child))]


def _resident_bytes(pid: int) -> tuple[int, int]:
    """High-water mark and present size, bytes; zeros once the process has ended."""
    try:
        found = _MEMORY.search((_PROC / str(pid) / "status").read_bytes())
    except OSError:
        return 0, 0
    return (int(found[1]) * _KIB, int(found[2]) * _KIB) if found else (0, 0)


def _event(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}


def _seconds(said: Mapping[str, Any]) -> float:
    return float(said["seconds"])
