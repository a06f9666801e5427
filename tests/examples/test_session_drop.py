"""session_drop: states, differences, leaks and what becomes of them, by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.examples.prepared import by_feature, prepare

COLUMNS = ["session_id", "timestamp", "current_state", "next_state", "page_depth", "search_count", "cart_item_count"]
EVENTS = pd.DataFrame(
    [
        ("a", "2026-11-07 10:00:00", "/Home/", "/search?q=1", 1, 0, 0),  # a Saturday
        ("a", "2026-11-07 10:00:30", "/search?q=1", "/product", 3, 2, 0),
        ("a", "2026-11-07 10:01:30", "/product", "/cart", 2, 2, 1),
        ("a", "2026-11-07 10:02:00", "/cart", "/LOGOUT/", 2, 2, 3),
        ("b", "2026-11-09 09:00:00", "/home", "/product", 1, 1, 2),
        ("b", "2026-11-09 09:00:10", "/product", "/home", 4, 1, 1),
        ("c", None, "/home", "/home", 1, 0, 0),
        (None, "2026-11-09 09:00:00", "/home", "/home", 1, 0, 0),
    ],
    columns=COLUMNS,
)


def table(**parameters: object) -> tuple[dict[str, dict[str, float]], pd.DataFrame]:
    # Two more sessions of each kind, so that every side of the split has some.
    more = [EVENTS.assign(session_id=EVENTS["session_id"] + str(k)) for k in range(6)]
    long = prepare("session_drop", {"events": pd.concat([EVENTS, *more])}, **parameters)
    return by_feature(long, "session_id"), long


def test_rows_without_a_session_or_a_time_are_left_out_and_the_label_is_a_logout_anywhere() -> None:
    _, long = table(k=3)
    labels = long.groupby("session_id")["completed"].first()
    assert {name[0] for name in labels.index} == {"a", "b"}
    assert (labels["a"], labels["b"]) == (1, 0)
    assert set(long["split"]) <= {"train", "valid", "test"}
    assert long.groupby("session_id")["split"].nunique().max() == 1


def test_the_columns_of_the_first_three_events() -> None:
    found = table(k=3)[0]["a"]
    wanted = {
        "n_events": 3,
        "session_duration_sec": 90,
        "events_per_min": 2,
        "gap_mean": 30,
        "gap_sd": 30,
        "gap_p95": np.quantile([0, 30, 60], 0.95),
        "page_depth_max": 3,
        "page_depth_slope": 0.5,
        "depth_backtracks": 1,
        "search_delta_sum": 2,
        "cart_adds": 1,
        "cart_touch_count": 1,
        "cart_adds_per_event": 1 / 3,
        "search_to_cart_ratio": 1.5,
        "first_event_hour": 10,
        "is_weekend": 1,
        "time_to_first_search": 30,
        "time_to_first_cart": 90,
        "last5_has_search": 1,
        "last5_has_cart": 1,
        "n_states": 3,
        "state_entropy": np.log2(3),
        "pair /home to /search": 1,
        "pair /search to /product": 1,
    }
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert found.get("last5_has_checkout", 0) == 0


def test_the_first_difference_is_the_value_itself_and_none_is_negative() -> None:
    found = table(k=2, policy="mask")[0]["b"]
    assert (found["search_delta_sum"], found["cart_adds"], found["cart_touch_count"]) == (1, 2, 1)
    assert found["time_to_first_search"] == 0
    assert table(k=3)[0]["b"]["is_weekend"] == 0


def test_a_masked_leak_loses_its_state_and_its_differences() -> None:
    found = table(k=4, policy="mask")[0]["a"]
    assert (found["n_events"], found["cart_adds"], found["session_duration_sec"]) == (4, 1, 90)
    assert found["n_states"] == 3


def test_short_sessions_are_padded() -> None:
    found = table(k=5, policy="mask_pad")[0]["b"]
    assert (found["n_events"], found["page_depth_max"], found["session_duration_sec"]) == (5, 4, 10)
    assert found["gap_mean"] == 2
    assert table(k=5, policy="mask")[0]["b"]["n_events"] == 2


def test_leaks_may_be_cut_off_or_dropped() -> None:
    cut, _ = table(k=4, policy="truncate")
    assert (cut["a"]["n_events"], cut["a"]["cart_adds"]) == (3, 1)
    dropped, _ = table(k=4, policy="drop")
    assert {name[0] for name in dropped} == {"b"}
    assert {name[0] for name in table(k=3, policy="drop")[0]} == {"a", "b"}


def test_no_column_is_named_after_what_is_to_be_told() -> None:
    _, long = table(k=4, policy="mask_pad")
    assert not [name for name in long["feature"].unique() if "logout" in name or "delete" in name]
