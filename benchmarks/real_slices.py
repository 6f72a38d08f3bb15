"""Ten held-out slices and the trained ResNet50, for the benchmarks that need something real."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from xaimri import open_model
from xaimri.classifier import Classifier
from xaimri.data import Dataset, alzheimer
from xaimri.images.intake import Intake

SHARED = Path(__file__).parents[2] / "shared"


def network(shared: Path = SHARED, **options) -> tuple[Classifier, keras.Model]:
    """Return the network of four stages, 96 x 96 pixels."""
    model = keras.models.load_model(shared / "models" / "resnet50_stages.keras")
    return open_model(model, fit="pad", **options).classifier, model


def slices(count: int, shared: Path = SHARED) -> list[np.ndarray]:
    """Return so many slices of people that the network has not seen, on its own grid."""
    data, unseen = held_out(shared)
    cases = [c for c in data if c.subject in unseen]
    intake = Intake((96, 96, 1), "pad", None, None)
    order = np.random.default_rng(0).permutation(len(cases))
    return [intake.take(cases[i].source).fitted for i in order[:count]]


def held_out(shared: Path = SHARED) -> tuple[Dataset, set[str]]:
    """Return the real slices, and the people among them that the network has not seen."""
    unseen = json.loads((shared / "models" / "test_subjects.json").read_text())["test_subjects"]
    return alzheimer.load(shared / "data" / "alzheimer"), set(unseen)
