"""A small cohort whose names are hostile, with a case that fails, and its training cases."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import Cohort
from xaimri.data import Case, Dataset

HOSTILE = [
    "<script>document.documentElement.dataset.run = 1<|script>.png",
    '"><img src=x onerror=alert(1)>.png',
    "$HOME `id` {{ 7 * 7 }} {% raw %}.png",
    "new\nline\ttab.png",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd.png",
    f"{'long' * 50}.png",
    "</title><!-- &lt;.png".replace("/", "|"),
]
"""Names of files."""

CLASSES = ("<b>no</b>", 'y"es & $1')
SIZE = (26, 22)


def image(n: int) -> np.ndarray:
    """Draw an image that is told from the others."""
    return np.random.default_rng(n).integers(0, 255, SIZE, np.uint8)


def drawn(folder: Path, names: list[str]) -> list[Path]:
    """Write an image by each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, name in enumerate(names):
        Image.fromarray(image(n)).save(folder / name)
    return [folder / name for name in names]


def network() -> LinearClassifier:
    """Return a network of both classes."""
    return LinearClassifier.random((*SIZE, 1), classes=2, seed=3, patch=2)


def named() -> LinearClassifier:
    """Return the network, its classes with hostile names."""
    made = network()
    return LinearClassifier(made.weights, made.bias, 2, CLASSES)


def cohort(folder: Path, count: int = 40, **how: Any) -> Cohort:
    """Explain images of hostile names and others, of two subjects for each, one of them broken."""
    names = [*HOSTILE, *(f"case {n:04}.png" for n in range(count - len(HOSTILE)))]
    files = drawn(folder / "images", names)
    cases = [
        Case(file.name, n % 2, f"S{n // 2}<i>" if n % 10 else None, file) for n, file in enumerate(files)
    ]
    broken = folder / "images" / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    cases.append(Case("broken.png", 0, None, broken))
    methods: list[Any] = ["gradcam", xaimri.LIME(samples=60, regions=6), "saliency"]
    data = Dataset(CLASSES, tuple(cases))
    return xaimri.explain_cohort(named(), data, methods, out=folder / "cohort", **how)


def training(folder: Path, count: int = 12) -> Dataset:
    """Return training cases: the first are the cohort's first subjects, under other names."""
    files = drawn(folder / "training", [f"t{n} <u>.png" for n in range(count)])
    cases = [Case(file.name, n % 2, f"S{n // 2}<i>", file) for n, file in enumerate(files)]
    return Dataset(CLASSES, tuple(dataclasses.replace(case) for case in cases))
