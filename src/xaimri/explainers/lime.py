"""LIME: a linear surrogate of the score around one image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from xaimri.arrays import Array, Image, Images, Labels, Stored
from xaimri.classifier import Classifier, Objective, Of
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explanation import Caveat, Regions
from xaimri.perturb import absent, surrogate
from xaimri.perturb.coalitions import halves
from xaimri.perturb.responses import responses
from xaimri.perturb.segments import superpixels
from xaimri.settings import positive, whole

POOR_FIT = 0.5
"""Below this R² the surrogate is called a poor fit."""


@dataclass(frozen=True)
class LIME(Explainer[Classifier]):
    """Hide random halves of the superpixels and fit a weighted linear model of what the classifier says.

    A region's value is its coefficient: how much the explained score (by default the probability)
    rises when the region is shown. Costs ``samples`` model calls per image. With the same segments and
    masks the coefficients equal those of the ``lime`` package, which fits the surrogate here.

    Parameters
    ----------
    samples
        Perturbed images, the unchanged one among them.
    regions
        About how many superpixels (SLIC inside the object), or a label image on the model's grid,
        ``(*space)`` integers with -1 where nothing is to be hidden.
    absent
        ``"mean"`` hides a region behind its own mean colour, a number behind that value.
    features
        Most regions in the fit.
    kernel_width
        Width of the exponential kernel on the cosine distance between coalitions.
    compactness
        Weight of nearness against likeness in the superpixels.
    seed
        Of masks and fit; every image gets the same masks.

    References
    ----------
    Ribeiro, Singh & Guestrin (2016), doi:10.1145/2939672.2939778.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = LIME(samples=100, regions=6).explain(model, image, of="logit")
    >>> explanation.diagnostics["r2"] > 0.9
    True
    """

    samples: int = 1000
    regions: int | Stored | Array = 50
    absent: Literal["mean"] | float = "mean"
    features: int = 100_000
    kernel_width: float = 0.25
    compactness: float = 0.2
    seed: int = 0
    name: ClassVar[str] = "lime"
    of: ClassVar[Of] = "probability"

    def __post_init__(self) -> None:
        if isinstance(self.regions, np.ndarray):
            object.__setattr__(self, "regions", Stored(self.regions))
        for name, least in (("samples", 2), ("features", 1), ("seed", 0)):
            whole(self, name, least)
        if not isinstance(self.regions, Stored):
            whole(self, "regions", 1, "or a label image")
        for name in ("kernel_width", "compactness"):
            positive(self, name)
        number = isinstance(self.absent, int | float | np.number) and not isinstance(self.absent, bool)
        if self.absent != "mean" and not (number and np.isfinite(self.absent)):
            raise InvalidInput(f'`absent` must be "mean" or a finite number, got {self.absent!r}.')
        if self.absent != "mean":
            object.__setattr__(self, "absent", float(self.absent))
        if self.seed >= 2**32:
            raise InvalidInput(f"`seed` must be below 2**32, got {self.seed}.")

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Explain image by image: each has its own regions."""
        targets = objective.targets or (None,) * len(images)
        found = [
            self._one(model, image, target, objective.of)
            for image, target in zip(images, targets, strict=True)
        ]
        return _gathered(found)

    def _one(
        self, model: Classifier, image: Image, target: int | None, of: Of
    ) -> tuple[Regions, Array, surrogate.Surrogate]:
        labels = self._labels(image)
        coalitions = halves(self.samples, int(labels.max()) + 1, self.seed)
        hidden = (
            absent.segment_mean(image, labels)
            if self.absent == "mean"
            else absent.constant(image, labels, float(self.absent))
        )
        logits = responses(model, image, hidden, labels, coalitions)
        chosen = int(logits[0].argmax()) if target is None else target
        scores = Objective((chosen,) * len(logits), of).scores(logits.astype(np.float64))
        fitted = surrogate.fit(
            coalitions, scores, kernel_width=self.kernel_width, features=self.features, seed=self.seed
        )
        values = fitted.coefficients.copy()
        changed = np.bincount(
            labels[labels >= 0], weights=(image != hidden).any(-1)[labels >= 0], minlength=len(values)
        )
        values[changed == 0] = np.nan
        return Regions(labels, values), logits[0], fitted

    def _labels(self, image: Image) -> Labels:
        if not isinstance(self.regions, Stored):
            return superpixels(image, cast(int, self.regions), self.compactness)
        labels = self.regions.array
        if (
            labels.shape != image.shape[:-1]
            or not np.issubdtype(labels.dtype, np.integer)
            or labels.max() < 0
            or labels.min() < -1
        ):
            raise InvalidInput(
                f"`regions` must be integer labels of shape {image.shape[:-1]}, the model's grid, "
                "with at least one "
                f"region, got {labels.dtype} of shape {labels.shape}."
            )
        return labels.astype(np.int64)


def _gathered(found: Iterable[tuple[Regions, Array, surrogate.Surrogate]]) -> Attribution:
    """Put the images' results side by side."""
    regions, logits, fits = zip(*found, strict=True)
    return Attribution(
        values=np.stack([r.paint(r.values) for r in regions]).astype(np.float32),
        logits=np.stack(logits),
        regions=regions,
        diagnostics=[
            {
                "r2": f.r2,
                "intercept": f.intercept,
                "regions": len(r.values),
                "untested": int((~r.tested).sum()),
            }
            for r, f in zip(regions, fits, strict=True)
        ],
        caveats=[_caveats(r, f) for r, f in zip(regions, fits, strict=True)],
    )


def _caveats(regions: Regions, fit: surrogate.Surrogate) -> list[Caveat]:
    found = []
    if fit.r2 < POOR_FIT:
        found.append(
            Caveat(
                "poor_fit",
                f"The linear surrogate explains {100 * max(fit.r2, 0):.0f} % of how the score varies: "
                "the regions act "
                'together, so use more samples, other regions, or of="log_odds", and trust the order little.',
            )
        )
    if not regions.tested.all():
        found.append(
            Caveat(
                "untested_regions",
                f"Hiding changes no pixel in {int((~regions.tested).sum())} of {len(regions.values)} "
                "regions: they were "
                "not tested and have no value.",
            )
        )
    return found
