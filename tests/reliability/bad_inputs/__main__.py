"""Give the real command every bad input there is: `python -m tests.reliability.bad_inputs`.

Ends with a table, and with 1 where something became of an input that should not have.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.reliability.bad_inputs.cases import COMMITTED, WAITS
from tests.reliability.bad_inputs.catalogue import CASES
from tests.reliability.bad_inputs.playing import play
from tests.reliability.rotation import TENTHS, tenth_of

ORDERLY = {0, 3, 5}  # done, an input was rejected, a run failed (as where it would pass max_memory)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.bad_inputs", description=__doc__)
    parser.add_argument("--tenth", type=int, choices=range(TENTHS), help="only this tenth of them")
    parser.add_argument("--only", default="", help="only those whose name contains this")
    parser.add_argument("--all-ends", action="store_true", help="print what became of each")
    given = parser.parse_args()
    cases = [case for case in tenth_of(CASES, given.tenth) if given.only in case.name]
    began = time.monotonic()
    with TemporaryDirectory(prefix="winnow-bad-") as folder:
        ended = play(cases, Path(folder))
    unlike = [case for case in cases if not case.allows(ended.of[case.name])]
    for case in cases if given.all_ends else unlike:
        end = ended.of[case.name]
        print(
            f"{case.name}: {end.how}: {end.why}" + (f" (expected {case.ends}: {case.says})" if case in unlike else "")
        )
    hows = Counter(end.how if end.how in {COMMITTED, WAITS} else "in quarantine" for end in ended.of.values())
    is_crash = "Traceback" in ended.said or ended.returncode not in ORDERLY
    rows = {
        "inputs": len(cases),
        **{how: hows[how] for how in ("in quarantine", WAITS, COMMITTED)},
        "unlike what was expected": len(unlike),
        "inputs disturbed": len(ended.disturbed),
        "crashes": int(is_crash),
        "seconds": round(time.monotonic() - began),
    }
    print("\n".join(f"{name:26} {value:6,}" for name, value in rows.items()))
    if is_crash:
        print(f"exit code {ended.returncode}", ended.said[-3000:])
    return 1 if unlike or ended.disturbed or is_crash else 0


if __name__ == "__main__":
    sys.exit(main())
