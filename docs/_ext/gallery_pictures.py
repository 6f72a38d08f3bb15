"""Let the gallery show what the last line of a cell is: a figure, an explanation or a comparison.

Sphinx-gallery collects pyplot's figures, and xaimri never uses pyplot. Thumbnails show a figure's images
alone, without the titles and bars that can't be read there. The notebooks are kept free of Sphinx's own
markup.
"""

import ast
import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sphinx_gallery import notebook
from sphinx_gallery.scrapers import figure_rst

_to_markdown = notebook.rst2md

DPI = 130

MOST = 3
"""Images in a thumbnail."""

_NUMBER = re.compile(r"sphinx_gallery_thumbnail_number = (-?\d+)")


def scraper(block, block_vars, gallery_conf):
    """Save the picture of a cell's last expression, and return the text that shows it."""
    figure = _figure(block.content, block_vars["example_globals"])
    if figure is None:
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=DPI, facecolor="white")
    _small(figure, Path(path)).save(Path(path).with_suffix(".small.png"))
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


def _small(figure, path):
    """Put a few of a figure's images side by side; of a figure without any, return all of it."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    kept = [axes for axes in figure.axes if axes.images and axes.get_window_extent().width > whole.width / 12]
    kept = [kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, MOST).astype(int))] if kept else []
    parts = [whole.crop(_box(axes, whole.height)) for axes in kept] or [whole]
    height = min(part.height for part in parts)
    parts = [part.resize((round(part.width * height / part.height), height)) for part in parts]
    gap = height // 40
    small = Image.new("RGB", (sum(part.width + gap for part in parts) - gap, height), "white")
    place = 0
    for part in parts:
        small.paste(part, (place, 0))
        place += part.width + gap
    return small


def _box(axes, height):
    """Return left, top, right and bottom of an axes' image in the saved picture."""
    box = axes.images[0].get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
    left, low, right, high = (round(x * DPI) for x in box.extents)
    return left, height - high, right, height - low


def draw_thumbnails(app):
    """Put the small pictures in the place of sphinx-gallery's thumbnails."""
    images = Path(app.srcdir) / "gallery" / "images"
    wide, high = app.config.sphinx_gallery_conf["thumbnail_size"]
    for page in sorted((Path(app.srcdir) / "examples").glob("plot_*.py")):
        found = sorted(images.glob(f"sphx_glr_{page.stem}_*.small.png"))
        number = _NUMBER.search(page.read_text(encoding="utf-8"))
        if found:
            number = int(number[1]) if number else 1
            with Image.open(found[number - (number > 0)]) as picture:
                picture.thumbnail((wide, high))
                picture.save(images / "thumb" / f"sphx_glr_{page.stem}_thumb.png")


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
    app.connect("builder-inited", draw_thumbnails, priority=900)
    return {"parallel_read_safe": True}
