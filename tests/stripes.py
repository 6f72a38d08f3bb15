"""Explanations whose regions are stripes, and what pictures of them show, read back from the artists."""

import dataclasses
import io

import numpy as np
from matplotlib.container import ErrorbarContainer

from xaimri.explanation import Explanation, Regions

VALUES = np.array([0.5, -2.0, 1.0, -0.25, 3.0, 0.0, np.nan])
ERRORS = np.array([0.5, 0.5, 0.5, 0.1, 2.0, 0.1, 0.1])
FADED = {0, 4}
STRONGEST = [4, 1, 2, 0, 3]
SIZES = {"2d": (24, 35), "3d": (24, 35, 20)}


def explained(rank="2d", values=VALUES, errors=ERRORS, classes=("yes", "no")):
    """Regions are stripes of five columns; two rows above and below lie in none."""
    shape = SIZES[rank]
    labels = np.broadcast_to((np.arange(35) // 5).reshape(1, 35, *[1] * (len(shape) - 2)), shape).copy()
    labels[:2] = labels[-2:] = -1
    regions = Regions(np.where(labels < len(values), labels, -1), values, errors)
    return Explanation(
        values=regions.paint(values).astype(np.float32),
        image=np.random.default_rng(0).random((*shape, 1), dtype=np.float32),
        target=0,
        of="logit",
        unit="logit",
        logits=np.array([1.0, 0.0]),
        probabilities=np.array([0.731, 0.269]),
        classes=classes,
        method={"name": "lime", "title": "LIME", "settings": {}},
        errors=None if errors is None else regions.paint(errors).astype(np.float32),
        regions=regions,
    )


def pixelwise(rank="2d", errors=1.0):
    """Return a map without regions, as of SmoothGrad, with errors up to so much; no value is zero."""
    random = np.random.default_rng(0)
    values = random.normal(size=SIZES[rank]).astype(np.float32)
    found = (errors * random.random(SIZES[rank])).astype(np.float32)
    method = {"name": "smoothgrad", "title": "SmoothGrad", "settings": {}}
    return dataclasses.replace(explained(rank), values=values, errors=found, regions=None, method=method)


def without_errors(explanation):
    regions = explanation.regions and dataclasses.replace(explanation.regions, errors=None)
    return dataclasses.replace(explanation, errors=None, regions=regions)


def intervals(ax):
    """Return the ends of the error bars by the place of their bars; empty where there are none."""
    found = [c for c in ax.containers if isinstance(c, ErrorbarContainer)]
    lines = [line for container in found for line in container.lines[2]]
    ends = [segment for line in lines for segment in line.get_segments()]
    return {round(float(segment[0, 1])): tuple(segment[:, 0]) for segment in ends}


def hatched(ax):
    """Return the numbers of the regions whose bars are hatched."""
    numbers = [int(label.get_text()) for label in ax.get_yticklabels()]
    return {number for number, bar in zip(numbers, ax.patches, strict=True) if bar.get_hatch()}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def numbered(ax):
    return {int(text) for text in texts(ax) if text.isdigit()}


def pixels(drawn):
    written = io.BytesIO()
    drawn.savefig(written, dpi=50)
    return written.getvalue()
