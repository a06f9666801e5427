"""What some tests need beyond Python: without it they say so and skip; where it is promised, they fail."""

import os
import re
import shutil
import subprocess

import pytest

# Set where everything is promised to be there (.ci/run): a test that skips silently there proves nothing.
PROMISE = "WINNOW_REQUIRE_SERVERS"
_OLDEST_JAVA = 17


def require(condition: bool, what: str) -> None:
    """Go on if `condition` holds; else skip the test, or fail it where PROMISE is set.

    Args:
        condition: whether what the test needs is there.
        what: it, as people call it ("a Java 17 runtime").
    """
    if condition:
        return
    if os.environ.get(PROMISE):
        pytest.fail(f"needs {what}, which {PROMISE} promises", pytrace=False)
    pytest.skip(f"needs {what}", allow_module_level=True)


def java_available() -> bool:
    """Tell whether there is a Java runtime that Spark 4 can use."""
    java = shutil.which("java")
    if java is None:
        return False
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r' version "(\d+)', answer)
    return version is not None and int(version[1]) >= _OLDEST_JAVA
