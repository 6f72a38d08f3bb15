"""How long a figure of 3,000 x 2,200 pixels takes to draw, whole and reduced to what can be seen.

Run: python benchmarks/figure_speed.py
"""

from __future__ import annotations

import io
import time

import numpy as np

from xaimri.explanation import Explanation, Regions
from xaimri.render import figure, reduction

SIZE, BLOCKS = (3000, 2200), 8


def made() -> Explanation:
    """Return a map of 64 square regions, with errors."""
    random = np.random.default_rng(0)
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    labels = rows * BLOCKS // SIZE[0] * BLOCKS + columns * BLOCKS // SIZE[1]
    regions = Regions(labels, random.normal(size=BLOCKS**2), np.full(BLOCKS**2, 0.3))
    assert regions.errors is not None
    return Explanation(
        values=regions.paint(regions.values).astype(np.float32),
        image=random.random((*SIZE, 1)).astype(np.float32),
        target=0, of="logit", unit="logit", logits=np.zeros(2), probabilities=np.full(2, 0.5),
        classes=("a", "b"),
        method={"name": "lime", "title": "LIME", "settings": {}}, regions=regions,
        errors=regions.paint(regions.errors).astype(np.float32),
    )  # fmt: skip


def main() -> None:
    """Print the seconds of each style, side by side."""
    explanation = made()
    longest = reduction.LONGEST
    for style in ("overlay", "contours", "superpixels", "side_by_side"):
        seconds = []
        for kept in (max(SIZE), longest):
            reduction.LONGEST = kept
            begun = time.perf_counter()
            figure(explanation, style=style).savefig(io.BytesIO(), dpi=150)
            seconds.append(time.perf_counter() - begun)
        print(f"{style}: whole {seconds[0]:.2f} s, reduced {seconds[1]:.2f} s")


if __name__ == "__main__":
    main()
