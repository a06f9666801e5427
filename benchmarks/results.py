"""Renders the measurements as markdown: a pure function of what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.contestants import EXPLAINED
from benchmarks.explainers import ATTRIBUTION, NODES, TABLE, THREADS, TITLES, Way, stage_with
from benchmarks.measure import Measurement
from benchmarks.records import Measurements, names_in_order
from benchmarks.targets import COLUMNS_SUFFIX, GB, ROWS_SUFFIX, bytes_per_non_zero, how_it_ended, targets

# contestant, protocol -> what it is called
_ENTRIES = {
    ("winnow", ""): "winnow run",
    ("origin", "origin"): "(a) origin's recipe, as it ran",
    ("origin", "winnow"): "(a) origin's recipe, our protocol",
    ("dense", "winnow"): "(b) best dense recipe, our protocol",
    ("dense-float64", "winnow"): "(b) as numpy computes it by default, float64 correlations",
    ("trees", "single"): "(c1) one LightGBM, 5,000 rows explained",
    ("trees-folds", "winnow"): "(c2) LightGBM, our protocol",
}
_LIMITED = {"read": "read", "train": "train", "correlate": "prune", "explain": "explain"}  # limit -> Winnow's stage
_EXPLAINERS = {
    "winnow": "Winnow: expected gradients, 64 background rows x 4 nodes, two threads",
    "origin": "shap.GradientExplainer, 200 samples",
    "dense": "captum DeepLift, zero baseline, batched",
    "trees": "LightGBM's TreeSHAP",
}
_LEGEND = (
    "Seconds and GB (10^9 bytes, resident, whole process tree) are medians. `*`: a part was measured and extrapolated "
    "linearly; its memory is that of the measured part, which is no more than the whole would take. Our protocol: five "
    "nets or boosters, every training row explained by the one that never saw it. Winnow's `train` also boosts the "
    "LightGBM that its nets are compared with."
)
_Row = Sequence[str]


def render(measured: Measurements, machine: Mapping[str, str], growth: str, notes: str) -> str:
    """Return RESULTS.md.

    Args:
        measured: all records.
        machine: what describe_machine said.
        growth: the size from which growth was measured.
        notes: markdown that goes below the targets; may be empty.
    """
    others = ROWS_SUFFIX, COLUMNS_SUFFIX, ATTRIBUTION
    sizes = [name for name in names_in_order(measured.records) if not name.endswith(others)]
    sections = [
        "# Results\n\nWritten by `python -m benchmarks`; do not edit. What is said in words stands in `notes.md`.",
        _machine(measured, machine),
        _targets(measured, growth),
        notes.strip(),
        *(_size(measured, size) for size in sizes),
        _explainers(measured),
        _growth(measured, growth),
        _commands(measured),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _machine(measured: Measurements, machine: Mapping[str, str]) -> str:
    lines = [f"- {key}: {value}" for key, value in machine.items()]
    if measured.records:
        dates = sorted(record.at[:16] for record in measured.records)
        highest = max(record.load for record in measured.records)
        lines.append(f"- measured: {dates[0]} to {dates[-1]} UTC; highest load average before a run {highest:.1f}")
    return "\n".join(["## Machine", "", *lines])


def _targets(measured: Measurements, growth: str) -> str:
    rows = [
        (target.text, target.wanted, target.reached, "met" if target.is_met else "**not reached**")
        for target in targets(measured, growth)
    ]
    return "## Targets\n\n" + _table(("target", "wanted", "reached", ""), rows) if rows else ""


def _size(measured: Measurements, size: str) -> str:
    entries = {
        entry: (title, run) for entry, title in _ENTRIES.items() if (run := measured.median(size, entry[0])) is not None
    }
    stages = [row for (_, protocol), (title, run) in entries.items() for row in _stage_rows(title, protocol, run)]
    blocks = [
        f"## {size}\n\n{_LEGEND}",
        _table(("", "seconds", "x winnow", "peak GB", "x winnow", "runs", "ended"), list(_totals(measured, size))),
        "### Stages",
        _table(("", "stage", "seconds", "peak GB"), stages),
        *_attribution(measured, size),
        *_limits(measured, size),
    ]
    return "\n\n".join(blocks)


def _totals(measured: Measurements, size: str) -> Iterator[_Row]:
    own = measured.median(size, "winnow")
    for (contestant, protocol), title in _ENTRIES.items():
        run = measured.median(size, contestant)
        if run is None:
            continue
        seconds, ended = run.seconds_under(protocol), run.exit_status == 0
        is_extrapolated = any(stage.is_extrapolated(protocol) for stage in run.stages)
        yield (
            title,
            _seconds(seconds, is_extrapolated=is_extrapolated) if ended else "-",
            f"{seconds / own.wall_seconds:.1f}" if own and ended else "-",
            f"{run.peak_bytes / GB:.2f}",
            f"{run.peak_bytes / own.peak_bytes:.1f}" if own else "-",
            str(len(measured.of(size, contestant))),
            "yes" if ended else how_it_ended(run),
        )


def _stage_rows(title: str, protocol: str, run: Measurement) -> Iterator[_Row]:
    yield title, "start and rest", _seconds(run.rest_seconds), f"{run.start_bytes / GB:.2f}"
    for stage in run.stages:
        seconds = _seconds(stage.seconds_under(protocol), is_extrapolated=stage.is_extrapolated(protocol))
        yield "", stage.name, seconds, f"{stage.peak_bytes / GB:.2f}"


def _attribution(measured: Measurements, size: str) -> Iterator[str]:
    rows: list[_Row] = []
    for contestant, title in _EXPLAINERS.items():
        run = measured.median(size, contestant)
        stage = run.stage("explain") if run else None
        if stage:
            rows.append((title, f"{1000 * stage.seconds / stage.facts.get('rows', EXPLAINED):.2f}"))
    if rows:
        yield "### Attribution, milliseconds a row"
        yield _table(("", "ms"), rows)


def _limits(measured: Measurements, size: str) -> Iterator[str]:
    limits, own = measured.median(size, "limits"), measured.median(size, "winnow")
    if limits is None or own is None:
        return
    rows: list[_Row] = []
    for stage in limits.stages:
        ours = own.stage(_LIMITED.get(stage.name, ""))
        if ours and "limit_seconds" in stage.facts:
            least = float(stage.facts["limit_seconds"])
            share = f"{100 * least / ours.seconds:.0f} %"
            rows.append((ours.name, _seconds(ours.seconds), _seconds(least), share, str(stage.facts["how"])))
    yield "### Share of the limit reached"
    yield _table(("stage", "seconds", "least possible", "share", "the limit"), rows)


def _explainers(measured: Measurements) -> str:
    run = measured.median(ATTRIBUTION, ATTRIBUTION)
    stages = [stage for threads in THREADS if run and (stage := run.stage(stage_with(threads)))]
    check = run.stage("check") if run else None
    if not stages or check is None:
        return ""
    rows = [(title, *(_milliseconds(stage.facts, way) for stage in stages)) for way, title in TITLES.items()]
    facts = check.facts
    text = (
        f"{stages[0].facts['rows']:,} rows, {100 * TABLE.density:g} % non-zeros; "
        "no code of the net is zero. From zero, Winnow agrees with integrated gradients of the dense net in float64, "
        f"{NODES} nodes, within {facts['max_relative_error']:.1e} of the largest value of each row. Additivity gap: "
        f"mean {facts['gap_winnow_zero']:.2g} logits of Winnow, {facts['gap_deeplift']:.2g} of DeepLift; rows lie "
        f"{facts['mean_span']:.2g} from zero in the mean; a net of random weights is rougher than one that was trained."
    )
    head = f"## Attribution of {TABLE.columns:,} columns, milliseconds a row"
    return "\n\n".join([head, text, _table(("", *(stage.name for stage in stages)), rows)])


def _milliseconds(facts: Mapping[str, Any], way: Way) -> str:
    how = facts[f"{way}_how"]
    return f"{facts[way]:.3f}" + (f" ({how})" if how else "")


def _growth(measured: Measurements, size: str) -> str:
    rows: list[_Row] = []
    start = measured.median(size, "winnow")
    for name in (size, size + ROWS_SUFFIX, size + COLUMNS_SUFFIX):
        run = measured.median(name, "winnow")
        read = run.stage("read") if run else None
        if run and read and start:
            ratio = f"{run.wall_seconds / start.wall_seconds:.2f}"
            memory = f"{run.peak_bytes / GB:.2f}", f"{run.start_bytes / GB:.2f}", f"{bytes_per_non_zero(run):.0f}"
            rows.append((name, f"{int(str(read.facts['non_zeros'])):,}", _seconds(run.wall_seconds), ratio, *memory))
    if len(rows) < 2:
        return ""
    head = ("drop", "non-zeros", "seconds", "x", "peak GB", "of it at start", "bytes per non-zero above start")
    return "## Growth\n\n" + _table(head, rows)


def _commands(measured: Measurements) -> str:
    commands = dict.fromkeys(record.command for record in measured.records)
    return "\n".join(["## Commands", "", *(f"    {command}" for command in commands)]) if commands else ""


def _seconds(value: float, *, is_extrapolated: bool = False) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}{' *' if is_extrapolated else ''}"


def _table(head: _Row, rows: Sequence[_Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
