"""How alike are the sets that are selected from one table under different seeds?

    python -m benchmarks.stability                                  three designs, 20,000 rows, five seeds; 8 minutes
    python -m benchmarks.stability --designs drift --rows 2000

A seed draws the split, the folds, and all that is random in the nets. Prints, for each design, the Jaccard index of
every two of the selected sets: what both have, of what either has.
"""

import argparse
import sys
from itertools import combinations

import numpy as np

from benchmarks.designs import DESIGNS
from benchmarks.selectors import winnow
from benchmarks.truth import as_table


def main() -> None:
    """Select under each seed and print how alike the sets are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default="plain,blocks .8,dominant KPIs", help="of %(default)s")
    parser.add_argument("--rows", type=int, default=20_000, help="of the table (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="of the selection, at least two (default: %(default)s)")
    parser.add_argument("--table", type=int, default=0, help="which table of the design (default: %(default)s)")
    options = parser.parse_args()
    for design in options.designs.split(","):
        selected = selected_sets(design, options.rows, options.table, options.seeds)
        alike = [jaccard(one, other) for one, other in combinations(selected, 2)]
        sizes = ", ".join(str(len(each)) for each in selected)
        sys.stdout.write(f"{design}, {options.rows} rows: mean {np.mean(alike):.3f}, least {min(alike):.3f}; ")
        sys.stdout.write(f"selected {sizes}\n")
        sys.stdout.flush()


def selected_sets(design: str, rows: int, table: int, seeds: int) -> list[set[int]]:
    """Return, for each seed, the positions of the selected columns among all of one table of the design."""
    truth = DESIGNS[design](np.random.default_rng([table, rows]), rows)
    found: list[set[int]] = []
    for seed in range(seeds):
        asked = as_table(truth, seed)
        _, learned = winnow(asked)
        found.append(set(asked.kept[learned.selection.selected].tolist()))
    return found


def jaccard(one: set[int], other: set[int]) -> float:
    """Return what both have, of what either has; 1 where neither has anything."""
    return len(one & other) / len(one | other) if one | other else 1.0


if __name__ == "__main__":
    main()
