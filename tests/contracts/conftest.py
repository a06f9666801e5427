"""The stores that the contract is run against."""

from pathlib import Path

import pytest

from storage import ObjectStore, open_store


@pytest.fixture(params=["local", "s3", "versioned s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store of each kind."""
    if request.param == "local":
        return open_store(str(tmp_path / "root"))
    return open_store(request.getfixturevalue("s3_root" if request.param == "s3" else "versioned_s3_root"))
