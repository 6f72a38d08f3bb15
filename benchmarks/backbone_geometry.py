"""Where ten backbones put the cells of their last map, and how far half-pixel resizing is off.

python benchmarks/backbone_geometry.py [--sides 224 225 299]
"""

from __future__ import annotations

import argparse
import os

import numpy as np

BACKBONES = (
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "MobileNet",
    "MobileNetV2",
    "DenseNet121",
    "EfficientNetB0",
    "ConvNeXtTiny",
    "InceptionV3",
    "Xception",
)


def main() -> None:
    """Print a row per backbone."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sides", type=int, nargs="+", default=[224, 225, 299])
    sides = options.parse_args().sides
    print("| backbone |", " | ".join(f"{side} pixels" for side in sides), "|")
    for family in BACKBONES:
        print(f"| {family} |", " | ".join(cell(grid) for grid in grids(family, sides)), "|", flush=True)


def grids(family, sides):
    """Read the grid of the map that Grad-CAM opens, per side of the image."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from xaimri.adapters.keras import KerasClassifier, clear_cache
    from xaimri.objective import Objective

    build = getattr(keras.applications, family)
    base = build(weights=None, include_top=False, input_shape=(None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    network = KerasClassifier(keras.Model(base.input, keras.layers.Dense(2)(pooled)), outputs="logits")
    for side in sides:  # branches that disagree, as Xception's, are weighed as of these random weights
        yield network.feature_maps(np.zeros((1, side, side, 3), np.float32), Objective((0,))).grid
    clear_cache()
    keras.backend.clear_session()


def cell(grid):
    """Write a grid's start and step, its spread, and how far resizing puts its middle cell from there."""
    middle = (grid.cells[0] - 1) / 2
    off = (grid.space[0] - 1) / 2 - grid.start[0] - grid.step[0] * middle
    spread = f" ± {grid.spread:g}" if grid.spread > 0.01 else ""
    return f"{round(grid.start[0], 2):g}{spread} + {grid.step[0]:g} *i*, {round(off, 2):+g}"


if __name__ == "__main__":
    main()
