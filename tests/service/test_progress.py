"""Progress bars: one for the stage at hand, and none where nobody looks."""

from service.progress import NoBars, TerminalBars, make_bars


def test_there_are_no_bars_where_there_is_no_terminal() -> None:
    bars = make_bars()
    assert isinstance(bars, NoBars)
    with bars:
        bars.begin("read", 10, "rows")
        bars.advance(3)


def test_the_bar_is_that_of_the_stage_at_hand() -> None:
    with TerminalBars() as bars:
        bars.advance(1)
        bars.begin("read", 10, "rows")
        bars.advance(3)
        (task,) = bars._progress.tasks
        assert (task.description, task.completed, task.total) == ("rows read", 3, 10)
        bars.begin("mix", 0, "colours")
        (task,) = bars._progress.tasks
        assert (task.description, task.completed, task.total) == ("mix: colours", 0, None)
