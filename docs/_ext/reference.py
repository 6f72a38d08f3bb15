"""Corrections to how the reference is written."""

import itertools
import re
import sys

from docutils import nodes
from sphinx.domains.python import PyObject
from sphinx.ext import autosummary
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inspect import TypeAliasForwardRef

from xaimri.metrics.batch import curve_of_each, of_each

_extract = autosummary.extract_summary
_ARRAY_LIKE = re.compile(r"~[\w.]+\._Buffer \| .*?_NestedSequence\[complex \| bytes \| str\]")
_SEVERAL_OF = re.compile(r"^tuple\[(.*), \.\.\.\]$")
_UNNAMED = re.compile(r"= ?<[^>]*>")
_DOI = re.compile(r"\bdoi:(10\.\d+/[^\s,;]*[^\s,;.)])")
_SEVERAL = re.compile(r"\w+(, \w+)+")


def extract_summary(doc, document):
    """Return the first sentence; the whole first paragraph where the sentence would cut a literal."""
    paragraph = " ".join(itertools.takewhile(str.strip, itertools.dropwhile(lambda x: not x.strip(), doc)))
    found = _extract(list(doc), document)
    return " ".join(paragraph.split()) if found.count("``") % 2 else found


def one_by_one(app, what, name, obj, options, lines):
    """Give each of several attributes that share a description an entry of its own."""
    entries = [i for i, line in enumerate(lines) if _SEVERAL.fullmatch(line)]
    for i in reversed(entries):
        text = list(itertools.takewhile(lambda line: line.startswith(" "), lines[i + 1 :]))
        if text:
            lines[i : i + 1 + len(text)] = [x for part in lines[i].split(", ") for x in (part, *text)]


def of_constants(app, what, name, obj, options, lines):
    """Take a constant's text from where it is defined, not from its type, and tell a short value."""
    if what != "data":
        return
    lines[:] = _text_of(name.rpartition(".")[2], obj)
    if len(repr(obj)) < 70 and not repr(obj).startswith("typing."):
        lines += [f"Its value is ``{obj!r}``.", ""]


def _text_of(name, value):
    """Return the text under the assignment of a constant, in whichever of our modules that stands."""
    for module in [module for module in sys.modules if module.startswith("xaimri.")]:
        if getattr(sys.modules[module], name, None) is value:
            text = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
            if text:
                return text
    return [""]


def with_links(app, what, name, obj, options, lines):
    """Make a link of every DOI."""
    lines[:] = [_DOI.sub(r"`doi:\1 <https://doi.org/\1>`__", line) for line in lines]


def without_leading_space(app, doctree):
    """Write ``Float[Array, 'classes']``: jaxtyping needs the space before a single axis, readers do not."""
    for text in list(doctree.findall(nodes.Text)):
        if re.search(r"^' \w|Array, ' \w", text):
            text.parent.replace(text, nodes.Text(text.replace("' ", "'")))


def short(app, what, name, obj, options, signature, returns):
    """Write ``ArrayLike`` as that, and a default that has no name as ``...``, which Sphinx can read."""
    if signature == "(*args, **kwargs)":  # of a protocol, which nobody calls
        return "", returns
    if signature and what == "function" and _takes_one_or_several(obj):
        signature = signature.replace("explanations: ", "explanations: ~xaimri.explanation.Explanation | ", 1)
        returns = _SEVERAL_OF.sub(r"\1 | \g<0>", returns.replace("Values", "float | Values"))
    if signature:
        signature = _UNNAMED.sub("= ...", _ARRAY_LIKE.sub("ArrayLike", signature))
    return signature, returns


def _takes_one_or_several(function):
    """Tell whether it is one of the metrics that give one number for one explanation."""
    while function is not None:
        if getattr(function, "__code__", None) in (of_each(len).__code__, curve_of_each(len).__code__):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def setup(app):
    autosummary.extract_summary = extract_summary
    TypeAliasForwardRef.__repr__ = lambda alias: alias.name
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    autosummary.mangle_signature = lambda signature, max_chars=30: ""  # a name and a sentence
    app.connect("autodoc-process-signature", short)
    app.connect("autodoc-process-docstring", of_constants, priority=600)
    app.connect("autodoc-process-docstring", one_by_one, priority=100)
    app.connect("autodoc-process-docstring", with_links, priority=601)
    app.connect("doctree-read", without_leading_space)
    return {"parallel_read_safe": True}
