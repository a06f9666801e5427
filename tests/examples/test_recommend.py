"""recommend: weights, rare users and products, and what judges, by hand."""

import pandas as pd

from tests.examples.prepared import prepare


def test_the_last_event_judges_and_its_pair_trains_nothing() -> None:
    rows = []
    for user in range(5):
        rows += [(f"2026-10-0{day} 10:00:00", kind, product, user) for day, kind, product in (
            (1, "view", 1), (2, "cart", 2), (3, "purchase", 3), (4, "remove_from_cart", 3), (5, "view", 1),
        )]  # fmt: skip
    once, rare, unknown = ("view", 1, 77), ("view", 99, 0), ("other", 1, 0)
    rows += [("2026-10-01 10:00:00", *event) for event in (once, rare, unknown)]
    events = pd.DataFrame(rows, columns=["event_time", "event_type", "product_id", "user_id"])
    found = prepare("recommend", {"events": events.assign(category_id=1, brand=None, category_code=None)})
    assert set(found["user_id"]) == {str(user) for user in range(5)}
    assert set(found["product_id"]) == {"1", "2", "3"}
    test = found[(found["split"] == "test") & (found["weight"] > 0)]
    assert (test["product_id"].tolist(), test["weight"].tolist()) == (["1"] * 5, [1] * 5)
    rest = found[(found["split"] != "test") & (found["weight"] > 0)]
    assert sorted(rest["product_id"].unique()) == ["2", "3"]  # product 1 is the pair that judges
    assert rest.groupby("product_id")["weight"].agg(set).to_dict() == {
        "2": {3},
        "3": {4},
    }  # the strongest of two events
    assert not found["pair_id"].duplicated().any()


def test_other_products_stand_beside_each_pair_and_none_of_them_was_wanted() -> None:
    rows = [
        ("2026-10-01", "purchase", product, user) for user in range(20) for product in range(user % 3, user % 3 + 6)
    ]
    events = pd.DataFrame(rows, columns=["event_time", "event_type", "product_id", "user_id"])
    events = events.assign(category_id=events["product_id"] % 2, brand="b", category_code=None)
    found = prepare("recommend", {"events": events}, others=2)
    wanted = {(str(user), str(product)) for _, _, product, user in rows if not (user % 3 == 2 and product == 99)}
    others = found[found["weight"] == 0]
    assert len(others) > 0
    assert not wanted & set(zip(others["user_id"], others["product_id"], strict=True))
    assert not found.duplicated(["user_id", "product_id"]).any()
    assert (found["category_id"] == (found["product_id"].astype(int) % 2).astype(str)).all()
    assert set(prepare("recommend", {"events": events}, others=0)["weight"]) == {4}
