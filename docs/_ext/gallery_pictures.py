"""Let the gallery show what the last line of a cell is: a figure, an explanation or a comparison.

Sphinx-gallery collects pyplot's figures, and xaimri never uses pyplot. The notebooks are kept free of
Sphinx's own markup.
"""

import ast
import re
from pathlib import Path

from matplotlib.figure import Figure
from sphinx_gallery import notebook
from sphinx_gallery.scrapers import figure_rst

_to_markdown = notebook.rst2md

DPI = 130


def scraper(block, block_vars, gallery_conf):
    """Save the picture of a cell's last expression, and return the text that shows it."""
    figure = _figure(block.content, block_vars["example_globals"])
    if figure is None:
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=DPI, facecolor="white")
    return figure_rst([path], gallery_conf["src_dir"], _words(block.content, Path(path).stem))


def _figure(code, names):
    """Return the figure that the last expression is, or draws; None where it is something else."""
    if not isinstance(ast.parse(code).body[-1], ast.Expr):
        return None
    value = names.get("___")
    if isinstance(value, Figure):
        return value
    owner = type(value)
    drawn = owner.__module__.startswith("xaimri.") and hasattr(owner, "figure")
    return value.figure() if drawn else None


def _words(code, fallback):
    """Say for those who can't see it what drew the picture."""
    last = ast.parse(code).body[-1]
    return f"drawn by: {ast.unparse(last)}"[:150].replace("\n", " ") or fallback


def without_roles(text, *settings, **more):
    """Turn a page's text into Markdown; of Sphinx's cross-references plain text and code remain."""
    text = re.sub(r":\w+:`([^`<]+?)\s*<[^`>]*>`", r"\1", text)
    return _to_markdown(re.sub(r":\w+:`~?([^`]+)`", r"``\1``", text), *settings, **more)


def _get_sg_image_scraper():
    return scraper


def setup(app):
    notebook.rst2md = without_roles
    return {"parallel_read_safe": True}
