"""Methods made wrong on purpose: what a metric must tell from the method itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np

from xaimri.arrays import Image, Images, Map, Scores
from xaimri.classifier import Classifier, Randomisable
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers import as_explainer
from xaimri.explanation import Explanation, Regions
from xaimri.images.foreground import foreground
from xaimri.metric import MUTATIONS, Mutation
from xaimri.metrics.sanity import randomisable
from xaimri.metrics.values import pixel_shares
from xaimri.objective import Objective
from xaimri.rules import Choice, Rule, WholeNumber
from xaimri.settings import metadata, setting

QUARTER = 0.25
"""Of the object's longest side: how far a map is shifted, and the standard deviation of its blur."""


@dataclass(frozen=True)
class MethodRule(Rule):
    """Any method: as itself, by name, or by its record."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a method or its name"

    def convert(self, value: object, name: str, /) -> Explainer[Any]:
        """Return the method as an explainer."""
        return as_explainer(value, name)


@dataclass(frozen=True)
class Mutant(Explainer[Classifier]):
    """A method whose maps are made wrong in one known way, to see whether a metric notices.

    Raises
    ------
    MissingCapability
        If ``"untrained"`` is asked of a model whose weights can't be shuffled.

    Notes
    -----
    A shifted or blurred map of regions is a map of pixels: a region's value spread evenly over its pixels.
    Standard errors are left out, but for negated maps and those of another class.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier, evaluate_explanations
    >>> from xaimri.data import phantom
    >>> cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    >>> model = LinearClassifier.random((26, 22, 1), classes=4, seed=0)
    >>> right = InputXGradient()
    >>> both = {"right": right, "negated": Mutant(right, "negated")}
    >>> found = evaluate_explanations(both, model, cases, ["insertion"])
    >>> found.difference("right", "negated", "insertion").certain
    True
    """

    inner: Explainer[Any] | str | Mapping[str, Any] = field(
        metadata=metadata(
            MethodRule(),
            doc='The method, by name, with its settings, or by its record. Costs what it costs; ``"other '
            'class"`` and ``"untrained"`` cost one prediction more.',
        )
    )
    mutation: Mutation = field(metadata=metadata(Choice(MUTATIONS), doc="What is made wrong."))
    shuffle: int = setting(0, WholeNumber(0), doc="Seed of the destroyed weights.")
    name: ClassVar[str] = "mutant"

    def __post_init__(self) -> None:
        super().__post_init__()
        method = cast(Explainer[Any], self.inner)
        object.__setattr__(self, "of", method.of)
        plain = self.mutation == "untrained" and method.needs is Classifier
        object.__setattr__(self, "needs", Randomisable if plain else method.needs)

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Let the inner method explain, and spoil its maps."""
        if self.mutation == "other class":
            logits = model.logits(images)
            return _attribution(self._explain(model, images, _another(logits, objective)), logits)
        if self.mutation == "untrained":
            logits = model.logits(images)
            network = randomisable(model, '"untrained"')
            destroyed = network.randomised(network.layers, self.shuffle)
            return _attribution(self._explain(destroyed, images, objective.settle(logits)), logits)
        found = self._explain(model, images, objective)
        logits = np.stack([each.logits for each in found])
        if self.mutation == "negated":
            return _attribution([_negate(each) for each in found], logits)
        change = _shift if self.mutation == "shifted" else _flatten
        values = np.stack([change(pixel_shares(each), each.image) for each in found])
        return Attribution(values.astype(np.float32), logits, unit=found[0].unit)

    def _explain(self, model: Classifier, images: Images, objective: Objective) -> tuple[Explanation, ...]:
        method = cast(Explainer[Any], self.inner)
        return method.explain(model, images, objective.targets, of=objective.of, against=objective.against)


def _another(logits: Scores, objective: Objective) -> Objective:
    """Return the objective of each image's most probable class but its target.

    So it is with a target that is held against another class, which stays, unless there is no third: then the
    two change sides.
    """
    masked, rows, targets = logits.astype(np.float64), np.arange(len(logits)), objective.resolve(logits)
    masked[rows, targets] = -np.inf
    others = objective.against
    if others is not None and logits.shape[1] > 2:
        masked[rows, others] = -np.inf
    elif others is not None:
        return Objective(others, objective.of, tuple(int(n) for n in targets))
    return Objective(tuple(int(n) for n in masked.argmax(axis=1)), objective.of, others)


def _attribution(found: Sequence[Explanation], logits: Scores) -> Attribution:
    """Hand on maps under the logits of the network itself."""
    first = found[0]
    return Attribution(
        np.stack([each.values for each in found]),
        logits,
        unit=first.unit,
        errors=None if first.errors is None else np.stack([e.errors for e in found if e.errors is not None]),
        regions=[each.regions for each in found if each.regions is not None],
    )


def _negate(explanation: Explanation) -> Explanation:
    regions = explanation.regions
    turned = None if regions is None else Regions(regions.labels, -regions.values, regions.errors)
    return replace(explanation, values=-explanation.values, regions=turned)


def _sides(image: Image) -> tuple[int, ...]:
    """Return the lengths of the object along every axis, pixels."""
    places = np.argwhere(foreground(image))
    return tuple(int(n) for n in places.max(axis=0) - places.min(axis=0) + 1)


def _shift(values: Map, image: Image) -> Map:
    """Roll a map along the object's longest side."""
    sides = _sides(image)
    axis = int(np.argmax(sides))
    moved: Map = np.roll(values, max(round(QUARTER * sides[axis]), 1), axis=axis)
    return moved


def _flatten(values: Map, image: Image) -> Map:
    """Blur a map until hardly more than its mean is left."""
    from scipy.ndimage import gaussian_filter

    blurred: Map = gaussian_filter(values, QUARTER * max(_sides(image)), mode="nearest")
    return blurred
