"""Documents: words are escaped, nothing is fetched, what is missing is an error."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError
from markupsafe import escape
from matplotlib.figure import Figure

from browser import Browser, program
from xaimri.archive import write_text
from xaimri.caveats import MANUAL, Caveat, Reason
from xaimri.documents.document import document, environment, fill
from xaimri.documents.picture import picture
from xaimri.errors import InvalidInput

HOSTILE = [
    "<script>document.title = 'taken'</script>",
    '"><img src=http://elsewhere.example/a.png onerror=alert(1)>',
    "</title></style><b>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
]

PAGE = """{% extends "base.html" %}
{% block content %}
<h2>Table</h2>
{{ parts.table("A <caption>", ["name", "n"], rows, numbers=[1]) }}
{{ parts.facts([("what", word)]) }}
{{ parts.figure(picture) }}
{{ parts.sentences([word]) }}
{{ parts.verdict(word, "bad") }}
{{ parts.caveats(caveats) }}
{% endblock %}
"""


class Tags(HTMLParser):
    """The tags of a page, those that close themselves aside, and whether each is closed."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def filled(word: str) -> str:
    rows = [[word, 1.5], ["b" * 60, float("nan")], ["c", None]]
    context = {
        "rows": rows,
        "word": word,
        "picture": picture(Figure(figsize=(2, 1)), f"{word}.", word, dpi=50),
        "caveats": [Reason.CONSTANT_MAPS.caveat(layer=word), Caveat.of_package("other", "odd", f"{word}.")],
    }
    return fill(environment().from_string(PAGE), word, context)


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_are_words(word):
    text = filled(word)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    names = [tag for tag, _ in tags.seen]
    assert "script" not in names
    assert names.count("img") == names.count("title") == names.count("style") == 1
    assert not {key for _, attributes in tags.seen for key in attributes if key.startswith("on")}
    assert unescape(re.search(r"<h1>(.*)</h1>", text)[1]) == word
    assert text.count(escape(word)) >= 8, (
        "in title, heading, table, facts, figure, sentence, verdict, caveats"
    )


def test_the_policy_forbids_every_request_and_the_page_has_none():
    tags = Tags()
    tags.feed(filled("plain"))
    (policy,) = [a["content"] for _, a in tags.seen if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in tags.seen:
        assert not {"style", "srcset", "background"} & set(attributes)
        if source := attributes.get("src"):
            assert (tag, source[:22]) == ("img", "data:image/png;base64,")
        if link := attributes.get("href"):
            assert tag == "a"
            assert link.startswith(("#", MANUAL))


def test_what_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="lines"):
        document("words.html", "A title")
    with pytest.raises(TemplateNotFound):
        document("../document.py", "A title")
    with pytest.raises(InvalidInput, match="title"):
        document("words.html", " ", lines=[])


def test_what_is_not_known_is_said():
    cells = re.findall(r"<td[^>]*>(.*?)</td>", filled("plain"))
    assert cells == ["1.5", "not known", "not known"]


def test_a_sentence_in_the_place_of_figures_runs_on_over_empty_cells():
    from xaimri.documents.document import environment

    table = environment().get_template("parts.html").module.table
    long = "not estimable: too few subjects of two classes"
    rows = table("t", ["a", "n", "b", "c"], [["x", "3", long, ""], ["y", "3", long, "1"]], numbers=(1, 2, 3))
    x, y = re.findall(r"<tr>(<th scope=.row.*?)</tr>", str(rows))
    assert re.findall(r"<td[^>]*>", x) == ['<td class="number">', '<td class="long" colspan="2">']
    assert re.findall(r"<td[^>]*>", y) == ['<td class="number">'] * 3, "the figure behind it stays"


def test_what_cannot_be_seen_is_written_as_its_code_and_the_file_is_whole(tmp_path: Path):
    odd = "a\0b\x1b[31m\u202egnp.exe\udce9\ttab"
    text = document("words.html", odd, lines=[odd])
    assert text.count("a\\u0000b\\u001b[31m\\u202egnp.exe\\udce9\ttab") == 3
    path = write_text(tmp_path / "page.html", text)
    assert path.read_text(encoding="utf-8") == text


def test_a_document_that_fails_leaves_the_old_file(tmp_path: Path):
    path = write_text(tmp_path / "page.html", "old")
    with pytest.raises(UndefinedError):
        write_text(path, document("words.html", "A title"))
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text() == "old"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = program()
    if found is None:
        pytest.skip("there is no Chromium here")
    made = Browser(found, tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


LUMINANCE = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return ["body", "caption", "footer", ".verdict", "main a"].map((each) => {
    const ink = light(getComputedStyle(document.querySelector(each)).color);
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  });
})()"""
"""Contrast of words and ground as WCAG 2 defines it."""


@pytest.mark.slow
def test_a_browser_shows_it_light_dark_and_on_a_phone(browser, tmp_path: Path):
    path = write_text(tmp_path / "page.html", filled(HOSTILE[0]))
    for width, dark in ((1200, False), (1200, True), (360, False)):
        browser.open(path, width, dark=dark)
        assert browser.requests[0].startswith("file:")
        assert all(each.startswith(("file:", "data:")) for each in browser.requests)
        assert not browser.complaints
        assert min(browser.evaluate(LUMINANCE)) > 4.5
        assert browser.evaluate("document.title") == HOSTILE[0]
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.evaluate("document.images[0].naturalWidth") == 100
    browser.key("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
