"""Parts that are torn, cut, overwritten, or no parquet at all: alone, and as the last of three."""

import gzip
import struct

import numpy as np

from tests.reliability.bad_inputs.cases import N_ROWS, Case, body, columns, files, part_name

_GOOD = body()
_HALF = len(_GOOD) // 2
_FOOTER = struct.unpack("<I", _GOOD[-8:-4])[0]
_NOISE = np.random.default_rng(3).bytes(4096)


def _with(start: int, content: bytes) -> bytes:
    start %= len(_GOOD)
    return _GOOD[:start] + content + _GOOD[start + len(content) :]


DAMAGED: dict[str, bytes] = {
    "zero bytes": b"",
    "one byte": b"P",
    "magic only": b"PAR1",
    "magic twice": b"PAR1PAR1",
    "twelve bytes": b"PAR1\0\0\0\0PAR1",
    "cut after 100 bytes": _GOOD[:100],
    "cut in half": _GOOD[:_HALF],
    "cut before the footer": _GOOD[: -8 - _FOOTER],
    "cut in the footer": _GOOD[: -8 - _FOOTER // 2],
    "without the last byte": _GOOD[:-1],
    "without the last magic": _GOOD[:-4],
    "without length and magic": _GOOD[:-8],
    "without its beginning": _GOOD[200:],
    "wrong magic at the end": _with(-4, b"PAR2"),
    "encrypted magic": _with(-4, b"PARE"),
    "footer length of zero": _with(-8, struct.pack("<I", 0)),
    "footer length of 4 GB": _with(-8, struct.pack("<I", 2**32 - 1)),
    "footer length too long": _with(-8, struct.pack("<I", len(_GOOD) + 1)),
    "footer length too short": _with(-8, struct.pack("<I", _FOOTER // 3)),
    "footer of zeros": _with(-8 - _FOOTER, bytes(_FOOTER)),
    "footer of noise": _with(-8 - _FOOTER, _NOISE[:_FOOTER]),
    "footer with its middle lost": _with(-8 - _FOOTER // 2, bytes(100)),
    "all zeros": bytes(4096),
    "all ones": b"\xff" * 4096,
    "noise": _NOISE,
    "noise between magics": b"PAR1" + _NOISE + b"PAR1",
    "csv": b"user_id,active,c0\n1,0,3\n2,1,0\n",
    "json": b'{"user_id": 1, "active": 0}\n',
    "html": b"<html><body>503 Slow Down</body></html>",
    "xml of a store": b"<Error><Code>NoSuchKey</Code></Error>",
    "gzip": gzip.compress(_GOOD, mtime=0),
    "arrow file": b"ARROW1\0\0" + _NOISE + b"ARROW1",
    "twice in one file with a torn end": _GOOD + _GOOD[:-5],
}
_REST = {
    part_name(0): body(columns(N_ROWS // 2)),
    part_name(1): body(columns(N_ROWS // 2, N_ROWS // 2)),
}

_ANY = "CorruptObject NotFinite DuplicateIds InvalidLabel committed"

CASES = [
    *(
        Case(f"{name}", files({part_name(): content}), "CorruptObject", part_name())
        for name, content in DAMAGED.items()
    ),
    *(
        Case(f"{name}, one of three", files({**_REST, part_name(2): content}), "CorruptObject", part_name(2))
        for name, content in DAMAGED.items()
    ),
    *(  # the pages have no checksums: what still decodes is read as it is, what does not is refused
        Case(f"page overwritten at {start}", files({part_name(): _with(start, b"\xa5" * 24)}), _ANY)
        for start in range(4, len(_GOOD) - _FOOTER - 40, (len(_GOOD) - _FOOTER) // 12)
    ),
]
