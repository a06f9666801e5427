"""Everything that can go wrong with the work on one drop.

    JobError
        InputRejected            the drop is at fault: it is quarantined, untouched, and the service goes on
            EmptyDrop            no parts, or no rows
            MissingColumn        the problem names a column that the drop does not have (MissingLabel: the label)
            InvalidLabel         nulls in the label, or not two classes
            UnsupportedColumn    types or values that the role of a column does not allow (undeclared text)
            UnsafeColumnName     quotes, angle brackets or control characters in a name
            NotFinite            NaN, an infinity or more than float32 holds, in a numeric column
            DuplicateIds         one id on several rows, or null
            TooFewRows           not enough rows of each class for the split and its folds
            NoUsableColumn       nothing left after pruning
            QueryFailed          the SQL of `prepare` does not work on this drop, or took too long
        TrainingFailed           the work is at fault
            LossDiverged         the loss is not a number
            OutOfMemory          the run would need more than max_memory
        Abandoned                the service asked to stop: nothing is wrong, nothing is committed

A message says what was found, where, and what to do.
"""


class JobError(Exception):
    """The work on one drop did not end in a run."""


class InputRejected(JobError):
    """The drop cannot be what the problem says it is."""


class EmptyDrop(InputRejected):
    """The drop has no parts, or no rows."""


class MissingColumn(InputRejected):
    """The problem names a column that the drop does not have."""


class MissingLabel(MissingColumn):
    """The label column is not in the drop."""


class InvalidLabel(InputRejected):
    """The label has nulls, or not exactly two classes."""


class UnsupportedColumn(InputRejected):
    """A column has a type, or values, that its role does not allow."""


class UnsafeColumnName(InputRejected):
    """A column name holds quotes, angle brackets, or control characters."""


class NotFinite(InputRejected):
    """A numeric column holds NaN, an infinity, or what float32 does not hold."""


class DuplicateIds(InputRejected):
    """One id stands on several rows, or is null."""


class TooFewRows(InputRejected):
    """Not enough rows of each class for the split and its folds."""


class NoUsableColumn(InputRejected):
    """No column is left after pruning."""


class QueryFailed(InputRejected):
    """The SQL of the problem and the drop do not fit together."""


class TrainingFailed(JobError):
    """The training itself failed."""


class LossDiverged(TrainingFailed):
    """The training loss is not a number any more."""


class OutOfMemory(TrainingFailed):
    """The run would need more memory than it may have; nothing was begun."""


class Abandoned(JobError):
    """The service was asked to stop while the work was under way."""
