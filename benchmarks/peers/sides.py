"""Which rows of a drop do what, with the shares that Winnow uses, and the arguments that all peers share."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, train_test_split

from jobs.data.split import Rows, SplitPolicy

ID, LABEL = "user_id", "active"
POLICY = SplitPolicy()


@dataclass(frozen=True, slots=True)
class Sides:
    """Positions of rows.

    Attributes:
        train, valid, test: disjoint, together all rows.
        seen: the training rows without those of the first fold.
    """

    train: Rows
    valid: Rows
    test: Rows
    seen: Rows

    @property
    def held_out(self) -> Rows:
        """The rows of the first fold."""
        return np.setdiff1d(self.train, self.seen, assume_unique=True)


def split(y: NDArray[np.float32]) -> Sides:
    """Split rows by label, (n_rows,)."""
    rest, test = train_test_split(np.arange(len(y)), test_size=POLICY.test, stratify=y, random_state=POLICY.seed)
    share = POLICY.valid / (1 - POLICY.test)
    train, valid = train_test_split(rest, test_size=share, stratify=y[rest], random_state=POLICY.seed)
    folds = StratifiedKFold(POLICY.folds, shuffle=True, random_state=POLICY.seed)
    seen, _ = next(folds.split(train, y[train]))
    return Sides(np.sort(train), np.sort(valid), np.sort(test), np.sort(train[seen]))


def arguments(text: str) -> ArgumentParser:
    """Return a parser that explains itself with `text` and knows the drop."""
    parser = ArgumentParser(description=text, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("drop", type=Path, help="folder with part-*.parquet")
    return parser


def add_epochs(parser: ArgumentParser) -> None:
    """Let the parser know how long a net trains."""
    told = "passes of a net over its training rows, patience included; some are measured (default: %(default)s)"
    parser.add_argument("--epochs", type=float, default=9.0, help=told)


def parts_of(drop: Path) -> list[Path]:
    """The parts of a drop, in order."""
    return sorted(drop.glob("part-*.parquet"))
