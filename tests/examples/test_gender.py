"""gender: anonymous events, mapping tables and labels, by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.examples.prepared import prepare


def events(*rows: tuple[object, ...]) -> pd.DataFrame:
    names = ["session_id", "timestamp", "user_id", "gender", "age", "product_id", "search_keyword", "current_state"]
    table = pd.DataFrame(rows, columns=names).assign(page_depth=2, search_count=1, cart_item_count=0)
    table["product_id"] = table["product_id"].astype("Int64")
    return table


EVENTS = events(
    ("a", "2026-11-02 10:00:00", "", None, 30, 1, "Sofa  ", "/product"),  # the product's category wins
    ("a", "2026-11-02 10:00:20", "nan", "FEMALE", 30, None, " SOFA", "/search"),
    ("a", "2026-11-02 10:01:00", "-1", "M", 30, 99, None, "/product"),
    ("a", "2026-11-02 10:02:00", "u7", "M", 30, 1, None, "/product"),
    ("b", "2026-11-02 11:00:00", "0", "male", 60, 1, None, "/product"),
    ("b", "2026-11-02 11:00:05", "u8", "M", 60, 1, None, "/product"),  # one event before the login
    ("c", "2026-11-02 11:00:00", "None", "x", 20, 1, None, "/product"),
    ("c", "2026-11-02 11:00:05", "null", None, 20, 1, None, "/product"),  # no gender at all
    ("d", "2026-11-02 12:00:00", None, "MALE", 20, 1, None, "/home"),
    ("d", "2026-11-02 12:00:05", None, "F", 20, None, None, "/home"),  # never logs in
)
TABLES = {
    "events": EVENTS,
    "products": pd.DataFrame({"product_id": [1], "category": ["Books"]}),
    "keywords": pd.DataFrame({"keyword": ["sofa"], "category": ["Home"]}),
}


def test_only_sessions_with_two_anonymous_events_and_a_gender_are_rows() -> None:
    found = prepare("gender", TABLES).set_index("session_id")
    assert sorted(found.index) == ["a", "d"]
    assert found["is_male"].to_dict() == {"a": 0, "d": 1}
    assert found["age_group"].to_dict() == {"a": "middle", "d": "young"}


def test_the_columns_are_of_the_events_before_the_login() -> None:
    found = prepare("gender", TABLES).set_index("session_id").loc["a"]
    wanted = {
        "n_events": 3,
        "search_count_sum": 3,
        "page_depth_mean": 2,
        "last_elapsed_mean": 20,
        "unique_pages": 2,
        "unique_categories": 2,
        "start_hour": 10,
        "start_weekday": 1,
        "n_books": 1,
        "n_home": 1,
        "share_home": 1 / 3,
        "log_home": np.log(2),
        "n_gaming": 0,
    }
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted)
