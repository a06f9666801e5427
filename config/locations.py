"""Where a prefix of objects lives, in one spelling: "s3://bucket/prefix/" or "/absolute/folder/".

The slash at the end makes containment a matter of text: "return/" does not contain "return2/".
"""

import os.path
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

EXPECTED_LOCATION = "s3://bucket/prefix, file:///folder or a local folder"


def normal_location(text: str, folder: Path | None = None) -> str:
    """Return the one spelling of a location; applied twice it changes nothing more.

    Args:
        text: an s3:// or file:// URL, or a local path ("~" is the home folder).
        folder: what a relative path is relative to; the working directory if None.

    Raises:
        ValueError: any other scheme, no bucket, nothing at all, an unknown home, or a file:// URL that names a host.
    """
    scheme, separator, rest = text.partition("://")
    if scheme == "s3" and separator:
        return _normal_s3(rest)
    if scheme == "file" and separator:
        return _normal_file(text)
    if separator or not text:
        raise ValueError(EXPECTED_LOCATION)
    return _normal_path(text, folder or Path.cwd())


def contains(outer: str, inner: str) -> bool:
    """Tell whether every key under `inner` is also under `outer`; both as `normal_location` returns them."""
    return inner.startswith(outer)


def _normal_s3(rest: str) -> str:
    bucket, _, prefix = rest.partition("/")
    if not bucket:
        raise ValueError(EXPECTED_LOCATION)
    return _closed(f"s3://{bucket}/{prefix.strip('/')}")


def _normal_file(text: str) -> str:
    url = urlsplit(text)
    path = url2pathname(url.path)
    if url.netloc not in {"", "localhost"} or not path.startswith("/"):
        raise ValueError(EXPECTED_LOCATION)
    return normal_location(path)


def _normal_path(text: str, folder: Path) -> str:
    try:
        path = folder / Path(text).expanduser()
    except RuntimeError as error:  # "~somebody" whom this machine does not know
        raise ValueError(EXPECTED_LOCATION) from error
    # Not resolve(): it would follow links, and a person would not know the path again.
    return _closed(os.path.abspath(path))  # noqa: PTH100


def _closed(text: str) -> str:
    return text.rstrip("/") + "/"
