"""next_state: one row a step, by hand."""

import pandas as pd

from tests.examples.prepared import prepare

EVENTS = pd.DataFrame(
    [
        ("s", "2026-11-02 10:00:10", "/Search", 2, 1, 0),
        ("s", "2026-11-02 10:00:00", "/home", 1, 0, 0),
        ("s", "2026-11-02 10:00:40", "/cart", 3, 1, 1),
        ("s", "2026-11-02 10:00:45", "/checkout now", 3, 1, 1),
        ("one", "2026-11-02 10:00:00", "/home", 1, 0, 0),
    ],
    columns=["session_id", "timestamp", "current_state", "page_depth", "search_count", "cart_item_count"],
)


def test_every_step_with_a_next_one_is_a_row() -> None:
    found = prepare("next_state", {"events": EVENTS}).sort_values("step")
    assert found["step_id"].tolist() == ["s:1", "s:2", "s:3"]
    assert found["next_state"].tolist() == ["/search", "/cart", "/checkout_now"]
    assert found["state"].tolist() == ["/home", "/search", "/cart"]
    assert found["prev1"].tolist() == ["PAD", "/home", "/search"]
    assert found["prev2"].tolist() == ["PAD", "PAD", "/home"]
    assert found["path"].tolist() == ["/home", "/home /search", "/home /search /cart"]
    assert found["last_action_elapsed"].tolist() == [0, 10, 30]
