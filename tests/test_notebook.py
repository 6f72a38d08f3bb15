"""Cards of a notebook: whole HTML, every name escaped, nothing fetched, every caveat linked."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import stripes
import xaimri
from judgements import judgement
from xaimri import notebook
from xaimri.caveats import MANUAL, Caveat, Reason, link_of
from xaimri.evaluation import evaluate
from xaimri.render import Comparison

EVIL = '<script src="x">&'
GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "caveats.md"
VOID = {"img", "br"}


class Page(HTMLParser):
    """Reads a card: its words, links and sources, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.tags, self.links, self.sources = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append(tag)
        self.links += [named["href"]] if "href" in named else []
        self.sources += [named["src"]] if "src" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def explanation(name=EVIL):
    caveats = (Caveat("poor_fit", f"More of {name} samples."), Caveat("other.thing", "Take care."))
    return dataclasses.replace(stripes.explained(classes=(name, "b")), caveats=caveats)


def objects():
    """Return one of everything that has a card, with a name in it that is no markup."""
    one = explanation()
    model = xaimri.open_model(lambda images: np.full((len(images), 2), 0.5), classes=[EVIL, "b"])
    people = [f"s{n}" for n in range(8)]
    cases = xaimri.data.Dataset(
        (EVIL, "b"), tuple(xaimri.data.Case(s, n % 2, s, np.ones((4, 4))) for n, s in enumerate(people))
    )
    report = evaluate(np.tile([0.6, 0.4], (8, 1)), cases)
    judged = judgement({EVIL: [[0.1, 0.2, None]], "lime": [[0.5, 0.4, 0.6]]}, caveats={EVIL: {"poor_fit": 2}})
    some = xaimri.Explanations({EVIL: one, "b": one}, {"c": xaimri.Failure("c", "read", f"{EVIL}.")})
    return {
        "explanation": one, "explanations": some, "comparison": Comparison([one, one]), "judgement": judged,
        "report": report, "model": model,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["explanation", "explanations", "comparison", "judgement", "report", "model"]
)
def test_a_card_is_whole_and_shows_names_as_they_are(name):
    text = objects()[name]._repr_html_()
    page = Page(text)
    assert "script" not in page.tags
    assert EVIL in "".join(page.words)
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert all(link.startswith(MANUAL) for link in page.links)
    assert text.startswith("<div ")


def test_caveats_are_text_with_a_link_to_their_paragraph():
    page = Page(explanation()._repr_html_())
    assert page.links == [f"{MANUAL}#poor-fit"]
    words = "".join(page.words)
    assert f"poor_fit: More of {EVIL} samples." in words
    assert "other.thing: Take care." in words


def test_every_link_leads_to_a_paragraph():
    labels = GUIDE.read_text()
    for reason in Reason:
        assert f"({link_of(reason.value).split('#')[1]})=" in labels
    assert link_of("mypackage.low_contrast") is None


def test_what_isn_t_there_takes_no_room():
    assert notebook.table(("a", "b"), []) == ""
    assert notebook.listed("Why", []) == notebook.folded("Why", []) == notebook.caveats([]) == ""
    assert "<table" not in xaimri.Explanations({})._repr_html_()
    Page(Comparison([])._repr_html_())


def test_long_lists_are_folded():
    assert Page(notebook.listed("Why", ["x"] * 12)).tags[0] == "div"
    assert Page(notebook.listed("Why", ["x"] * 13)).tags[0] == "details"


def test_a_judgement_s_card_has_the_figures_of_its_table():
    found = objects()["judgement"]
    words = "".join(Page(found._repr_html_()).words)
    for summary in found.summary:
        assert f"{summary.estimate.value:.3g}" in words
    assert "1 x the image is too bright" in words
    assert "poor_fit on 2" in words


def test_a_report_s_card_has_the_figures_of_its_table():
    found = objects()["report"]
    words = Page(found._repr_html_()).words
    for level in (found.slice, found.subject):
        for figure in level.figures:
            assert str(figure) in words or str(figure) == "-"
