"""The page for people: complete, without scripts, and safe whatever the names."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.lineage import metrics_of
from jobs.report.changes import Changes
from jobs.report.page import write_page
from jobs.report.tables import features_table, interactions_table, positions_table
from jobs.selection.bootstrap import Estimate
from jobs.stages import Stages

Run = tuple[Dataset, Learned, Stages]


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def page_of(run: Run, folder: Path, names: dict[str, str] | None = None, problem: str = "return") -> Page:
    _, learned, stages = run
    features = features_table(learned)
    features["feature"] = features["feature"].replace(names or {})
    write_page(
        folder,
        problem,
        "run-1",
        features,
        interactions_table(learned),
        positions_table(learned),
        metrics_of(learned, Changes(), stages),
    )
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("own", [-0.02, 0.0])
def test_the_page_says_on_top_that_the_nets_are_behind_and_whether_that_is_their_doing(
    mixed_run: Run, tmp_path: Path, own: float
) -> None:
    data, learned, stages = mixed_run
    behind = replace(
        learned.judgement, lead=Estimate(-0.02, -0.03, -0.01), own_lead=Estimate(own, own - 0.001, own + 0.001)
    )
    told = replace(learned, judgement=behind, is_withheld=behind.is_spoilt)
    text = " ".join(page_of((data, told, stages), tmp_path).texts)
    assert "the nets are worse than logistic regression" in text
    assert ("No column is called selected" in text) == (own < 0)
    assert ("which learned from all training rows" in text) == (own == 0)


def test_the_page_shows_the_columns_and_the_models(mixed_run: Run, tmp_path: Path) -> None:
    text = " ".join(page_of(mixed_run, tmp_path).texts)
    for word in ("boss_kills", "town", "leak_suspect", "run-1", "logistic regression", "lightgbm", "1 pruned"):
        assert word in text
    auc = mixed_run[1].judgement.metrics["test"]["net"]["auc"]
    assert f"{auc.value:.4f}" in text


def test_the_page_runs_nothing_and_fetches_nothing(mixed_run: Run, tmp_path: Path) -> None:
    page = page_of(mixed_run, tmp_path)
    assert not {"script", "iframe", "link", "img", "object", "embed"} & set(page.tags)
    assert not {"src", "href", "srcset"} & {name for name, _ in page.attributes}
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>", "a & <b>'c\"</b>"])
def test_names_are_shown_and_never_obeyed(mixed_run: Run, tmp_path: Path, name: str) -> None:
    plain = page_of(mixed_run, tmp_path)
    page = page_of(mixed_run, tmp_path, {"boss_kills": name}, problem=name)
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert name in "".join(page.texts)
