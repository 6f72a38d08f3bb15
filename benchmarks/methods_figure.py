"""Draw every method on one held-out slice of the real data, by a network trained on other people.

    python benchmarks/methods_figure.py --shared SHARED --out docs/figures/methods_resnet50.png

SHARED holds ``models/resnet50_stages.keras`` and ``data/alzheimer``. References of the expected gradients are
slices of training subjects. Prints steps, gaps and errors beside.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import xaimri
from xaimri.data import alzheimer, load_images

LAYER = "conv4_block6_out"
CAMS = ("gradcam", "gradcam++", "hirescam", "layercam", "scorecam", "eigencam")


def main() -> None:
    """Explain one slice by all methods, draw and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    given = options.parse_args()
    dataset = alzheimer.load(given.shared / "data" / "alzheimer")
    held_out = set(json.loads((given.shared / "models" / "test_subjects.json").read_text())["test_subjects"])
    case = next(c for c in dataset if c.subject in held_out and c.label == 0 and c.slice == 16)
    known = [i for i, c in enumerate(dataset) if c.subject not in held_out][::97]
    references = load_images(dataset.take(known), (96, 96), fit="pad")
    methods = [xaimri.EXPLAINERS[name](layer=LAYER) for name in CAMS]
    methods += ["saliency", "input_x_gradient", xaimri.IntegratedGradients()]
    methods += [xaimri.ExpectedGradients(references=references, samples=200), "smoothgrad", "vargrad"]
    methods += [xaimri.LIME(samples=1000, absent="mean")]
    compared = xaimri.compare(
        given.shared / "models" / "resnet50_stages.keras",
        case.source,
        methods,
        target=0,
        classes=dataset.classes,
        fit="pad",
    )
    for found in compared:
        told = {
            k: round(v, 4) if isinstance(v, float) else v
            for k, v in found.diagnostics.items()
            if k
            in ("steps", "difference", "completeness_gap", "sum", "sum_error", "model_calls", "explained")
        }
        print(f"{found.method['name']:<22} {told} {[c.name for c in found.caveats]}")
    compared.save(given.out, dpi=80)
    said = np.round(compared[0].probabilities, 3)
    print(f"{case.id} of {case.subject}, {len(references)} references, p = {said}")


if __name__ == "__main__":
    main()
