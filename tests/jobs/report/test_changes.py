"""What has changed since the run before: by mean, by coverage, by being there at all; chance is no change."""

import numpy as np
import pandas as pd
import pytest

from jobs.report.changes import MOVED, Changes, Previous, changes_since

N = 4000


def table(seed: int, columns: dict[str, tuple[float, float]], n_rows: int = N) -> pd.DataFrame:
    """Features of drops whose columns have such a rate of users and such a mean count of these."""
    random = np.random.default_rng(seed)
    values = {
        name: (random.random(n_rows) < rate) * (1 + random.poisson(mean, n_rows))
        for name, (rate, mean) in columns.items()
    }
    logs = pd.DataFrame(values).map(np.log1p)
    return pd.DataFrame(
        {
            "feature": logs.columns,
            "coverage": (logs > 0).mean().to_numpy(),
            "mean": logs.mean().to_numpy(),
            "deviation": logs.std(ddof=0).to_numpy(),
            "flags": [["leak_suspect"] if name == "a" else [] for name in logs.columns],
        }
    )


def test_what_moved_came_and_went_is_told() -> None:
    same = {f"same{k:02d}": (0.05 * (1 + k % 15), 2.0) for k in range(40)}
    before = table(1, same | {"a": (0.3, 1.0), "b": (1.0, 20.0), "z_gone": (0.5, 1.0)})
    now = table(2, same | {"a": (0.4, 1.0), "b": (1.0, 30.0), "c_new": (0.5, 1.0)}, N // 2)
    found = changes_since(Previous("r0", N, before), now, N // 2)
    assert found == Changes("r0", ("a", "b"), ("c_new",), ("z_gone",))
    flagged = found.flag(now).set_index("feature")["flags"]
    assert flagged["a"] == ["leak_suspect", MOVED]
    assert flagged["same00"] == []
    assert now["flags"].map(len).sum() == 1  # the table itself is as it was


@pytest.mark.parametrize("seed", range(5))
def test_chance_moves_nothing(seed: int) -> None:
    columns = {f"c{k}": (0.01 + 0.019 * k, 1.0 + k) for k in range(50)}
    assert changes_since(Previous("r0", N, table(2 * seed, columns)), table(2 * seed + 1, columns), N).moved == ()


def test_a_change_of_categories_and_their_absence_is_one_of_coverage() -> None:
    before = table(1, {"town": (0.9, 1.0)}).assign(mean=np.nan, deviation=np.nan)
    now = table(2, {"town": (0.6, 1.0)}).assign(mean=np.nan, deviation=np.nan)
    assert changes_since(Previous("r0", N, before), now, N).moved == ("town",)


def test_without_a_run_before_nothing_has_changed() -> None:
    assert changes_since(None, table(1, {"a": (0.5, 1.0)}), N) == Changes()


def test_tables_that_share_no_column_have_nothing_to_compare() -> None:
    found = changes_since(Previous("r0", N, table(1, {"a": (0.5, 1.0)})), table(1, {"b": (0.5, 1.0)}), N)
    assert found == Changes("r0", (), ("b",), ("a",))
