"""Credentials are in no log, no result and no text of an error, whatever goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.service.substitute import problem_at

SECRETS = ("SECRET-ACCESS-KEY-1", "SESSION-TOKEN-2", "PASSWORD-3")


def watch(folder: Path, **environment: str) -> str:
    """Make one pass of the real command over S3 with these variables; return all that it said."""
    (folder / "return.yaml").write_text(problem_at("s3://some-bucket/x"), encoding="utf-8")
    (folder / "winnow.yaml").write_text("problems: [return.yaml]\nlog: {level: debug}\n", encoding="utf-8")
    command = [sys.executable, "-m", "tests.service.process", str(folder / "winnow.yaml"), "--once"]
    given = {
        "AWS_ACCESS_KEY_ID": "some-key",
        "AWS_SECRET_ACCESS_KEY": SECRETS[0],
        "AWS_SESSION_TOKEN": SECRETS[1],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        **environment,
    }
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://user:PASSWORD-3@127.0.0.1:9",
        "http://PASSWORD-3@127.0.0.1:9/deeper",
        "ftp://user:PASSWORD-3@127.0.0.1:9",
        "user:PASSWORD-3@127.0.0.1",
    ],
)
def test_an_address_with_a_password_does_not_tell_it(tmp_path: Path, endpoint: str) -> None:
    said = watch(tmp_path, AWS_ENDPOINT_URL_S3=endpoint)
    assert not [secret for secret in SECRETS if secret in said]


def test_a_server_that_refuses_us_does_not_make_us_tell(tmp_path: Path, moto_url: str) -> None:
    said = watch(tmp_path, AWS_ENDPOINT_URL_S3=moto_url)
    assert "NoSuchBucket" in said
    assert not [secret for secret in SECRETS if secret in said]
