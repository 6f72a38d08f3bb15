"""What xaimri says of the network, on the cells and on the pixels, and the random draws it made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from compare import COPIES, STEPS
from network import CELLS, HEADS, LAST, SHAPE, Arrays, build, images, weights

import xaimri
from xaimri.classifier import Differentiable, FeatureMaps, Gradient
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers import (
    EigenCAM,
    ExpectedGradients,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    InputXGradient,
    IntegratedGradients,
    LayerCAM,
    Saliency,
    ScoreCAM,
    SmoothGrad,
    VarGrad,
)
from xaimri.explainers.smoothgrad import _noisy
from xaimri.grid import Grid
from xaimri.objective import Objective

FINE = 4096
FEW = 24
"""Draws of expected gradients that a peer repeats one by one."""
MANY = 400
"""Draws of expected gradients that a peer makes for itself."""
TARGETS = (1, 0, 3)
ITSELF = Grid(space=CELLS, cells=CELLS, start=(0.0, 0.0), step=(1.0, 1.0))


@dataclass(frozen=True)
class OnCells:
    """A classifier whose cells lie on an image of their own size: a method's map is its cells."""

    inner: xaimri.KerasClassifier

    @property
    def classes(self) -> tuple[str, ...]:
        return self.inner.classes

    def logits(self, images: np.ndarray, /) -> np.ndarray:
        return self.inner.logits(images)

    def gradient(self, images: np.ndarray, objective: Objective, /) -> Gradient:
        return self.inner.gradient(images, objective)

    def feature_maps(
        self, images: np.ndarray, objective: Objective, /, layer: str | None = None
    ) -> FeatureMaps:
        return replace(self.inner.feature_maps(images, objective, layer=layer), grid=ITSELF)


@dataclass(frozen=True)
class OneChannel(Explainer[Differentiable]):
    """The gradient by one channel: what packages that keep the channels apart smooth."""

    channel: int
    name: ClassVar[str] = "one_channel"

    def attribute(self, model: Differentiable, images: np.ndarray, objective: Objective, /) -> Attribution:
        found = model.gradient(images, objective)
        return Attribution(found.values[..., self.channel], found.logits)


def given(seed: int = 0) -> dict[str, np.ndarray]:
    """Return everything that the peers are handed."""
    batch, references = images(len(TARGETS), seed + 1), images(20, seed + 2)
    expected = ExpectedGradients(references, samples=FEW)
    references, drawn, places = expected._drawn(SHAPE)
    starts = references[drawn]
    noise = [_noisy(SmoothGrad(copies=COPIES), batch, copy) - batch for copy in range(COPIES)]
    return {
        **weights(seed),
        "images": batch,
        "targets": np.array(TARGETS),
        "steps": np.array(STEPS),
        "many": np.array(MANY),
        "noise": np.stack(noise, axis=1),
        "references": references,
        "starts": starts,
        "places": places.astype(np.float32),
    }


def results(arrays: Arrays) -> dict[str, np.ndarray]:
    """Explain every image behind every head."""
    found = {}
    for head in HEADS:
        model = xaimri.KerasClassifier(build(head, arrays))
        found |= {f"{head}/{name}": values for name, values in _explained(model, arrays).items()}
    return found


def _explained(model: xaimri.KerasClassifier, arrays: Arrays) -> dict[str, np.ndarray]:
    batch, objective = arrays["images"], Objective(TARGETS)
    maps = model.feature_maps(batch, objective, layer=LAST)
    found = {"logits": model.logits(batch), "maps": maps.values, "gradients": maps.gradients}
    for axis, cells in enumerate(CELLS):
        line = Grid(SHAPE[axis : axis + 1], (cells,), maps.grid.start[axis:][:1], maps.grid.step[axis:][:1])
        found[f"upsample{axis}"] = line.resample(np.eye(cells, dtype=np.float32)).T
    found |= {
        name: method.attribute(OnCells(model), batch, objective).values for name, method in _cell_methods()
    }
    for name, method in _pixel_methods(arrays["references"]):
        explained = method.attribute(model, batch, objective)
        found[name] = explained.values
        if explained.errors is not None:
            found[f"{name}/errors"] = explained.errors
    apart = [VarGrad(inner=OneChannel(c), copies=COPIES) for c in range(SHAPE[-1])]
    found["vargrad/channels"] = np.stack(
        [method.attribute(model, batch, objective).values for method in apart], axis=-1
    )
    return found


def _cell_methods() -> tuple[tuple[str, Explainer], ...]:
    return (
        ("gradcam", GradCAM(relu=False)),
        ("gradcam/relu", GradCAM()),
        ("gradcam++", GradCAMPlusPlus(relu=False)),
        ("gradcam++/relu", GradCAMPlusPlus()),
        ("hirescam", HiResCAM()),
        ("layercam", LayerCAM(relu=False)),
        ("eigencam", EigenCAM()),
    )


def _pixel_methods(references: np.ndarray) -> tuple[tuple[str, Explainer], ...]:
    return (
        ("scorecam", ScoreCAM(relu=False)),
        ("saliency", Saliency()),
        ("input_x_gradient", InputXGradient()),
        ("integrated", IntegratedGradients(steps=STEPS, most=STEPS)),
        ("integrated/fine", IntegratedGradients(steps=FINE, most=FINE)),
        ("smoothgrad", SmoothGrad(copies=COPIES)),
        ("vargrad", VarGrad(copies=COPIES)),
        ("expected", ExpectedGradients(references, samples=FEW)),
        ("expected/many", ExpectedGradients(references, samples=MANY)),
    )
