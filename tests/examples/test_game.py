"""payer, ad_response, lookalike: service, days and things are settings; nothing else is counted."""

import pandas as pd
import pytest

from tests.examples.prepared import by_feature, prepare

LOGS = pd.DataFrame(
    [
        ("live", "2026-11-01", 1, 5, 95, 2),
        ("live", "2026-11-12", 1, 5, 95, 3),
        ("live", "2026-11-13", 1, 5, 95, 100),  # too late
        ("test", "2026-11-02", 1, 5, 95, 100),  # another service
        ("live", "2026-11-02", 1, 6, 1, 4),
        ("live", "2026-11-02", 2, 6, 1, 1),
    ],
    columns=["service", "date", "user_id", "log_id", "feature_id", "count"],
)
ACCOUNTS = pd.DataFrame({"user_id": [1, 2, 3], "max_level": [10, 20, 30], "pay_amount": [0.5, 0.0, 1.5]})


@pytest.mark.parametrize(("name", "label"), [("payer", "pays"), ("ad_response", "clicked"), ("lookalike", "is_seed")])
def test_counts_are_summed_over_the_days_of_the_service(name: str, label: str) -> None:
    labels = pd.DataFrame({"user_id": [1, 2, 3], label: [1, 0, 0]})
    found = by_feature(prepare(name, {"logs": LOGS, "accounts": ACCOUNTS, "labels": labels}), "user_id")
    assert found == {
        "1": {"5_95": 5, "6_1": 4, "max_level": 10, "pay_amount": 0.5, label: 1},
        "2": {"6_1": 1, "max_level": 20, "pay_amount": 0, label: 0},
        "3": {"max_level": 30, "pay_amount": 1.5, label: 0},
    }


def test_the_choice_of_things_is_a_setting() -> None:
    labels = pd.DataFrame({"user_id": [1, 2, 3], "pays": [1, 0, 0]})
    tables = {"logs": LOGS, "accounts": ACCOUNTS, "labels": labels}
    found = prepare("payer", tables, feature_ids=["6_1"], service="live")
    assert set(found["feature"]) == {"6_1", "max_level", "pay_amount", "pays"}
    late = prepare("payer", tables, first_day="2026-11-13", last_day="2026-11-13")
    assert by_feature(late, "user_id")["1"]["5_95"] == 100
