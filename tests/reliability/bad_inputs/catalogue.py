"""All cases, one family after another."""

from tests.reliability.bad_inputs import bytes_of_parts, kinds_of_columns, names, states_of_writes, values_and_rows
from tests.reliability.bad_inputs.cases import Case

CASES: list[Case] = [
    *states_of_writes.CASES,
    *bytes_of_parts.CASES,
    *kinds_of_columns.CASES,
    *values_and_rows.CASES,
    *names.CASES,
]
