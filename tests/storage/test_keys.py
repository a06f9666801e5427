"""Names of objects: every format has its exact inverse where it is parsed."""

import pytest

from storage import keys

_UUID = "0f7c0e2c-1f0e-4c52-9d5f-0123456789ab"


def test_the_digest_is_fixed() -> None:
    assert keys.digest("a", 1, None) == "0ae764bffd3a17b6454c8d9ebf712311"
    assert len(keys.digest()) == 32


def test_the_digest_depends_on_order_and_grouping() -> None:
    assert len({keys.digest("a", "b"), keys.digest("b", "a"), keys.digest("ab"), keys.digest(["a", "b"])}) == 4


def test_the_run_id_depends_on_drop_problem_and_code() -> None:
    ids = {keys.run_id_of(*names) for names in [("d", "p", "1"), ("e", "p", "1"), ("d", "q", "1"), ("d", "p", "2")]}
    assert len(ids) == 4


def test_the_layout_is_the_contract_with_readers() -> None:
    assert keys.commit_key("return", "r1") == "return/runs/r1/COMMIT.json"
    assert keys.attempt_folder("return", "r1", 2, "n") == "return/runs/r1/attempt-2-n/"
    assert keys.ledger_key("return", "2026-01-31", "r1") == "return/ledger/dt=2026-01-31/r1.parquet"
    assert keys.latest_key("return") == "return/latest.json"
    assert keys.claim_key("return", "d1") == "return/claims/d1.json"
    assert keys.done_key("return", "d1") == "return/done/d1.json"
    assert keys.quarantine_key("return", "d1") == "return/quarantine/d1.json"


def test_run_objects_are_parsed_back() -> None:
    assert keys.parse_run_object(keys.commit_key("p", "r")) == ("p", "r", keys.COMMIT)
    assert keys.parse_run_object(keys.finished_key("p", "r")) == ("p", "r", keys.FINISHED)


def test_attempt_folders_are_parsed_back() -> None:
    nonce = keys.new_nonce()
    assert keys.parse_attempt_folder(keys.attempt_folder("p", "r", 12, nonce)) == ("p", "r", 12, nonce)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(keys.claim_key, "claims"), (keys.done_key, "done"), (keys.quarantine_key, "quarantine")],
)
def test_control_keys_are_parsed_back(make: "object", kind: str) -> None:
    assert callable(make)
    assert keys.parse_control_key(make("p", "d")) == ("p", kind, "d")


@pytest.mark.parametrize("key", ["", "p/runs/r/attempt-1-n/COMMIT.json", "p/runs/r/COMMIT.json/", "p/runs/COMMIT.json"])
def test_other_keys_are_no_run_objects(key: str) -> None:
    assert keys.parse_run_object(key) is None


@pytest.mark.parametrize("folder", ["p/runs/r/", "p/runs/r/attempt-x-n/", "p/runs/r/attempt-1-n", "attempt-1-n/"])
def test_other_folders_are_no_attempts(folder: str) -> None:
    assert keys.parse_attempt_folder(folder) is None


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (f"dt=1/part-00000-{_UUID}-c000.snappy.parquet", _UUID),
        (f"part-00000-{_UUID}.c000.parquet", _UUID),
        ("part-00000.parquet", None),
        (f"{_UUID}/part-00000.parquet", None),
        (f"part-00000-{_UUID}-c000/other.parquet", None),
    ],
)
def test_the_uuid_of_a_write_is_read_from_the_name_of_a_part(key: str, expected: str | None) -> None:
    assert keys.write_uuid(key) == expected


def test_a_key_is_unique_if_a_uuid_is_anywhere_in_it() -> None:
    assert keys.is_unique(keys.attempt_folder("p", "r", 1, keys.new_nonce()) + "model/x")
    assert not keys.is_unique("part-00000.parquet")
