"""Starts processes of the real command fast: everything is imported once, every process is a fork of that.

Reads one JSON object a line, {"config", "log", "environment", "hook"}, and answers with the id of the process.
"""

import json
import os
import signal
import sys
from pathlib import Path

import jobs.run
import service.commands.watch
import storage.s3
from service.commands import call
from tests.reliability.chaos.folder_hook import install

LOADED = (jobs.run, service.commands.watch, storage.s3)  # what a command loads when it begins


def main() -> None:
    """Start what is asked for until nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for these children
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
        print(child, flush=True)


def _become(asked: dict[str, object]) -> None:
    """Be `winnow watch`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(asked["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    silence = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((silence, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    os.environ.update(asked["environment"])  # pyright: ignore[reportArgumentType, reportCallIssue]
    if asked["hook"] is not None:
        install(**asked["hook"])  # pyright: ignore[reportCallIssue]
    os._exit(call("watch", config=Path(str(asked["config"]))))


if __name__ == "__main__":
    main()
