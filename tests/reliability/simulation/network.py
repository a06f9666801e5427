"""The network between a worker and its store: slow, and one request in twenty fails in one of four ways.

A worker may die before a request, between request and answer, and after the answer.
"""

import random
from collections.abc import Callable

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from storage.s3_clients import TOTAL_ATTEMPTS, S3Clients
from tests.reliability.memory_s3 import CHANGES, Answer, MemoryClient, MemoryS3, refusal
from tests.reliability.simulation.schedule import Schedule

FAULT_RATE = 0.05
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)  # botocore's standard mode doubles
TIMEOUT_SECONDS = 30.0


class Network:
    """What one worker sends, and what becomes of it.

    Args:
        random: of the schedule.
        schedule: the clock.
        die_at: called around every change with its place; may raise what ends the worker.
    """

    def __init__(self, random: random.Random, schedule: Schedule, die_at: Callable[[str], None]) -> None:
        self._random = random
        self._schedule = schedule
        self._die_at = die_at
        self.fault_rate = FAULT_RATE
        self.n_faults = 0

    def clients(self, server: MemoryS3, who: str) -> S3Clients:
        """Return the two clients that a store makes for itself."""
        patient = MemoryClient(server, who, self._send_patiently)
        once = MemoryClient(server, who, self._send)
        return S3Clients(patient=patient, once=once)  # pyright: ignore[reportArgumentType]

    def _send_patiently(self, operation: str, execute: Callable[[], Answer]) -> Answer:
        """Send as botocore does: again where the server or the network failed."""
        for pause in RETRY_SECONDS[: TOTAL_ATTEMPTS - 1]:
            try:
                return self._send(operation, execute)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                    raise
            except (ConnectTimeoutError, ReadTimeoutError):
                pass
            self._schedule.sleep(pause)
        return self._send(operation, execute)

    def _send(self, operation: str, execute: Callable[[], Answer]) -> Answer:
        self._schedule.sleep(self._random.expovariate(5.0))
        is_change = operation in CHANGES
        if is_change:
            self._die_at(f"before {operation}")
        fault = self._fault(operation)
        if fault == "refused":
            raise refusal(503, "SlowDown")
        if fault == "unreachable":
            self._schedule.sleep(3.0)
            raise ConnectTimeoutError(endpoint_url="memory")
        answer = execute()
        if is_change:
            self._die_at(f"in the answer to {operation}")
        if fault == "lost":
            self._schedule.sleep(TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url="memory")
        self._schedule.sleep(self._random.expovariate(20.0))
        if is_change:
            self._die_at(f"after {operation}")
        if fault == "torn":
            answer["Body"].breaks_off = True
        return answer

    def _fault(self, operation: str) -> str | None:
        if self._random.random() >= self.fault_rate:
            return None
        self.n_faults += 1
        return self._random.choice(["refused", "unreachable", "lost", *(["torn"] if operation == "get_object" else [])])
