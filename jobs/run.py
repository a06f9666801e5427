"""The table of contents of the product (being written): run_drop(work, observer) -> Outcome."""

from jobs.observer import Observer
from jobs.work import Outcome, Work


def run_drop(work: Work, observer: Observer) -> Outcome:
    """Turn one drop into one committed run, and delete exactly what it consumed."""
    raise NotImplementedError
