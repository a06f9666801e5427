"""When nets are behind the linear model, and what the table then says."""

from dataclasses import replace

import pytest

from jobs.judging import Judgement
from jobs.report.tables import WITHHELD, features_table
from jobs.selection.bootstrap import Estimate
from tests.jobs.test_tasks import classes


@pytest.mark.parametrize(("value", "low", "high", "is_behind"), [
    (-0.02, -0.03, -0.01, True),
    (-0.006, -0.007, -0.005, True),
    (-0.02, -0.05, 0.01, False),  # that may be chance
    (-0.0015, -0.0016, -0.0014, False),  # that is nothing
    (0.02, 0.01, 0.03, False),
])  # fmt: skip
def test_nets_are_behind_by_more_than_chance_and_by_enough(
    value: float, low: float, high: float, is_behind: bool
) -> None:
    level, other = Estimate(0.0, -0.01, 0.01), Estimate(value, low, high)
    assert Judgement(None, {}, other, level, {}, None).is_behind == is_behind
    assert not Judgement(None, {}, other, level, {}, None).is_spoilt  # of fewer rows: no fault of the nets
    assert Judgement(None, {}, other, other, {}, None).is_spoilt == is_behind


def test_no_column_is_called_selected_when_the_nets_are_behind() -> None:
    _, learned, _ = classes()
    assert "selected" in set(features_table(learned)["status"])
    status = set(features_table(replace(learned, is_withheld=True))["status"])
    assert WITHHELD in status
    assert not status & {"selected", "not_selected"}
