"""Fill a template in: words are escaped, a name that is missing is an error, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from xaimri.caveats import link_of
from xaimri.errors import InvalidInput

UNKNOWN = "not known"
"""What a document says of None and of a number that is none."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a browser can't show, and what turns the reading direction of the words around it."""


def document(template: str, title: str, **context: object) -> str:
    """Return an HTML document as one text, ready for `archive.write_text`.

    The template extends ``base.html``: a page that is read on screen, phone and paper, light and dark, by
    eye and by keyboard. Its macros are in ``parts.html``: table, figure, sentences, facts, verdict, caveats.
    Words are escaped wherever they stand, so a name such as ``<script>`` is shown as it is. The page's
    policy forbids scripts and every request; its pictures lie within it (`picture`).

    Parameters
    ----------
    template
        Name of a file in ``documents/templates``.
    title
        Heading and title of the page.
    **context
        What the template names. None, and a number that is not finite, is written as "not known".

    Raises
    ------
    InvalidInput
        If the title is empty.
    jinja2.UndefinedError
        If the template names what is not given.

    Examples
    --------
    >>> text = document("words.html", "A <title>", lines=["1 < 2"])
    >>> "<h1>A &lt;title&gt;</h1>" in text, "1 &lt; 2" in text
    (True, True)
    """
    if not title.strip():
        raise InvalidInput("a document needs a title: give a word or more.")
    return fill(environment().get_template(template), title, context)


def fill(template: Template, title: str, context: Mapping[str, object]) -> str:
    """Fill a template in that has been loaded; what can't be seen is written as its code."""
    return seen(template.render(context, title=title))


def pieces(template: str, title: str, **context: object) -> Iterator[str]:
    """Yield a document piece by piece, as `document` returns it: what it repeats may come from a generator.

    So a page that is larger than memory can be written. ``text_of`` in a template is a style or a script of
    ``documents/templates``, and ``hash_of`` what the page's policy calls it.

    Examples
    --------
    >>> text = "".join(pieces("words.html", "A title", lines=(str(n) for n in range(3))))
    >>> "<li>2</li>" in text
    True
    """
    stream = environment().get_template(template).stream(context, title=title)
    stream.enable_buffering(64)
    for piece in stream:
        yield seen(piece)


def seen(text: str) -> str:
    r"""Return words in which what can't be seen is written as its code.

    Examples
    --------
    >>> seen("a\u202eb")
    'a\\u202eb'
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@cache
def environment() -> Environment:
    """Return where templates come from: everything is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader("xaimri.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_told,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = _source(made, "base.css")
    made.globals.update(
        style=Markup(style), style_hash=_hash(style), version=version("xaimri"), link_of=link_of
    )
    made.globals.update(
        text_of=lambda name: Markup(_source(made, name)), hash_of=lambda name: _hash(_source(made, name))
    )
    made.globals["parts"] = made.get_template("parts.html").module
    return made


def _source(made: Environment, name: str) -> str:
    assert made.loader is not None
    return made.loader.get_source(made, name)[0]


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _told(value: object) -> object:
    """Return what is written of a value: nothing that is unknown stands there as None or nan."""
    if value is None or (isinstance(value, float) and not abs(value) < float("inf")):
        return UNKNOWN
    return value
