"""Any gradient method over noisy copies of the image: the mean of its maps, or their variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from xaimri.arrays import Array, Images, Scores
from xaimri.capacity import capacity
from xaimri.caveats import Caveat
from xaimri.classifier import Differentiable
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer, require
from xaimri.explainers.gradient import Saliency
from xaimri.explainers.lookup import as_explainer
from xaimri.objective import Objective
from xaimri.perturb.running_mean import RunningMean
from xaimri.rules import Number, Rule, WholeNumber
from xaimri.settings import setting

T = TypeVar("T")

TOGETHER = 64
"""Noisy images handed to the inner method at once, at most."""


SIGNED = Saliency(signed=True)
"""Keeps the gradient's sign, so that noise averages out."""


@dataclass(frozen=True)
class GradientMethodRule(Rule):
    """A method that needs a gradient: as itself, by name, or by its record."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a gradient method or its name"

    def convert(self, value: object, name: str, /) -> Explainer[Any]:
        """Return the method as an explainer."""
        inner = as_explainer(value, name)
        if Differentiable not in inner.needs.__mro__:
            raise InvalidInput(
                f"`{name}` must be a gradient method, and {type(inner).__name__} is none: give one such as "
                '"saliency", "integrated_gradients" or "gradcam".'
            )
        return inner


def inner_setting(default: T) -> T:
    """Return the field of a setting ``inner``."""
    doc = (
        "The method to run on the copies, by name, with its settings, or by its record: any that needs a "
        "gradient, such as ``InputXGradient()`` or ``GradCAM()``. The default keeps the gradient's sign, so "
        "that noise averages out."
    )
    return setting(default, GradientMethodRule(), doc=doc)


def noise_setting(default: T) -> T:
    """Return the field of a setting ``noise``."""
    doc = "Standard deviation of the noise, as a share of the image's range from least to largest."
    return setting(default, Number(least=0), doc=doc)


def copies_setting(default: T) -> T:
    """Return the field of a setting ``copies``."""
    return setting(default, WholeNumber(2), doc="Noisy copies of each image.", unit="images")


def seed_setting(default: T) -> T:
    """Return the field of a setting ``seed``."""
    doc = "Of the noise; every image gets the same, scaled to its own range."
    return setting(default, WholeNumber(0), doc=doc)


@dataclass(frozen=True)
class SmoothGrad(Explainer[Differentiable]):
    """The mean of a gradient method's maps over noisy copies of the image, with its standard error.

    Values have the inner method's sign and unit. Costs ``copies`` times the inner method, and one
    forward pass.

    Notes
    -----
    The class is that of the image itself, whatever the noisy copies are taken for. Without noise this is
    the inner method.

    References
    ----------
    Smilkov et al. (2017), arXiv:1706.03825.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((4, 5, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 4, 5, 1), dtype="float32")
    >>> explanation, = SmoothGrad(copies=4).explain(model, image)  # a linear gradient is the same anywhere
    >>> float(explanation.errors.max())
    0.0
    """

    inner: Explainer[Any] | str | Mapping[str, Any] = inner_setting(SIGNED)
    noise: float = noise_setting(0.15)
    copies: int = copies_setting(25)
    seed: int = seed_setting(0)
    name: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    cost: ClassVar[str] = "`copies` times the inner method"

    def attribute(self, model: Differentiable, images: Images, objective: Objective, /) -> Attribution:
        """Average the inner method's maps."""
        found = _over_copies(self, model, images, objective)
        return Attribution(
            found.maps.mean.astype(np.float32),
            found.logits,
            found.unit,
            errors=found.maps.error.astype(np.float32),
            diagnostics=found.diagnostics(),
            caveats=found.caveats(),
        )


@dataclass(frozen=True)
class VarGrad(Explainer[Differentiable]):
    """The variance of a gradient method's maps over noisy copies of the image.

    Values are at least 0, in the square of the inner method's unit: where the map is sensitive to
    noise, whichever its sign. Costs ``copies`` times the inner method, and one forward pass.

    Notes
    -----
    The unbiased variance of the inner method's map, in which channels are summed already; some packages
    take it channel by channel, and divide by ``copies`` rather than ``copies - 1``. For a linear
    classifier and :class:`~xaimri.Saliency` it is 0. ``errors`` is the standard error of a variance of
    normal values, ``sqrt(2 / (copies - 1))`` of it: 29 % for 25 copies.

    References
    ----------
    Adebayo et al. (2018), arXiv:1810.03307; Seo et al. (2018), arXiv:1806.03000.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((4, 5, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 4, 5, 1), dtype="float32")
    >>> explanation, = VarGrad(inner="input_x_gradient", copies=4).explain(model, image)
    >>> explanation.unit
    'logit squared'
    """

    inner: Explainer[Any] | str | Mapping[str, Any] = inner_setting(SIGNED)
    noise: float = noise_setting(0.15)
    copies: int = copies_setting(25)
    seed: int = seed_setting(0)
    name: ClassVar[str] = "vargrad"
    title: ClassVar[str] = "VarGrad"
    cost: ClassVar[str] = "`copies` times the inner method"

    def attribute(self, model: Differentiable, images: Images, objective: Objective, /) -> Attribution:
        """Take the variance of the inner method's maps."""
        found = _over_copies(self, model, images, objective)
        unit = found.unit or objective.unit
        variance = found.maps.variance.astype(np.float32)
        return Attribution(
            variance,
            found.logits,
            f"{f'({unit})' if ' ' in unit else unit} squared",
            errors=variance * np.float32(np.sqrt(2 / (self.copies - 1))),
            diagnostics=found.diagnostics(),
            caveats=found.caveats(),
        )


@dataclass(frozen=True, eq=False)
class _Copies:
    """What the inner method found over noisy copies."""

    logits: Scores
    unit: str | None
    maps: RunningMean
    records: list[dict[str, Any]]
    counts: list[dict[Caveat, int]]

    def diagnostics(self) -> list[dict[str, Any]]:
        return [{"copies": self.maps.count, **record} for record in self.records]

    def caveats(self) -> list[list[Caveat]]:
        """Return the inner method's caveats, by name, that hold for at least half of the copies."""
        return [_frequent(count, self.maps.count) for count in self.counts]


def _frequent(count: Mapping[Caveat, int], copies: int) -> list[Caveat]:
    names: dict[str, tuple[int, Caveat]] = {}
    for caveat, times in count.items():
        total, first = names.get(caveat.name, (0, caveat))
        names[caveat.name] = (total + times, first)
    return [caveat for total, caveat in names.values() if 2 * total >= copies]


def _over_copies(
    explainer: SmoothGrad | VarGrad, model: Differentiable, images: Images, objective: Objective
) -> _Copies:
    """Run the inner method over noisy copies, in groups of bounded size."""
    inner = explainer.inner
    assert isinstance(inner, Explainer)
    require(inner, model)
    logits = model.logits(images)
    settled = objective.settle(logits)
    maps, unit = RunningMean(), None
    records: list[dict[str, Any]] = [{"model_calls": 1} for _ in images]
    counts: list[dict[Caveat, int]] = [{} for _ in images]
    group = max(1, capacity(images.shape[1:], TOGETHER) // len(images))
    for start in range(0, explainer.copies, group):
        number = min(group, explainer.copies - start)
        noisy = np.concatenate([_noisy(explainer, images, start + i) for i in range(number)])
        found = inner.attribute(model, noisy, settled.times(number))
        maps.add(found.values.reshape(number, len(images), *found.values.shape[1:]))
        unit = found.unit
        _count(found, records, counts)
    return _Copies(logits, unit, maps, records, counts)


def _count(found: Attribution, records: list[dict[str, Any]], counts: list[dict[Caveat, int]]) -> None:
    """Add up model calls and caveats of every image's copies, and keep which layer was opened."""
    for i, told in enumerate(found.diagnostics):
        record = records[i % len(records)]
        record["model_calls"] += int(told.get("model_calls", 1))
        record |= {key: told[key] for key in ("layer", "why", "cells", "grid") if key in told}
    for i, caveats in enumerate(found.caveats):
        for caveat in caveats:
            seen = counts[i % len(counts)]
            seen[caveat] = seen.get(caveat, 0) + 1


def _noisy(explainer: SmoothGrad | VarGrad, images: Images, copy: int) -> Images:
    """Add one copy's noise, the same for all images, scaled to each image's range.

    A wrapped wrapper draws other noise than the one around it.
    """
    generator = np.random.default_rng((explainer.seed, copy, _depth(explainer)))
    axes = tuple(range(1, images.ndim))
    scale = explainer.noise * np.ptp(images, axis=axes, keepdims=True)
    noise: Array = scale * generator.standard_normal(images.shape[1:], dtype=np.float32)
    return images + noise


def _depth(explainer: Any) -> int:
    """Return how many wrappers are inside this one."""
    inner = getattr(explainer, "inner", None)
    return 0 if not isinstance(inner, SmoothGrad | VarGrad) else 1 + _depth(inner)
