"""Does the map stay where nothing that matters has changed: noise, another seed, another training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import Any, cast

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Image, Stored
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer
from xaimri.explainers import build
from xaimri.explanation import Explanation
from xaimri.kinds import Anything
from xaimri.metrics.model import classifier_of
from xaimri.metrics.score import refuse_constant
from xaimri.metrics.similarity import Similarity, similarity
from xaimri.metrics.values import finite_values
from xaimri.objective import Of
from xaimri.rules import SEED
from xaimri.targets import Target

SEEDS = tuple(range(5))


@check_arguments(explainer=Anything(), target=Anything(), against=Anything())
def max_sensitivity(
    explainer: str | Explainer[Any],
    classifier: ModelLike,
    image: Image,
    target: Target = None,
    *,
    radius: float = 0.02,
    samples: int = 10,
    of: Of | None = None,
    against: Target = None,
    seed: int = 0,
) -> float:
    """Add a little noise to the image, and tell how far the map moves at most, relative to its size.

    From 0 (not at all); lower is better; an unrelated map of equal size has about 1.4. It can't see whether
    the network itself changed its mind: where the score moves, the map may have to.

    Parameters
    ----------
    explainer
        The method with its settings, or its name; superpixels are cut once, from the image itself.
    classifier
        The model.
    image
        ``(*space, channels)`` on the model's own grid.
    target, of, against
        As of :func:`xaimri.explain`; the class is that of the image itself throughout.
    radius
        Largest noise, as a share of the image's range; uniform and independent in every pixel.
    samples
        Noisy images.
    seed
        Of the noise.

    Notes
    -----
    Costs the explainer ``samples + 1`` times. A larger number can only raise the value.

    References
    ----------
    Yeh et al. (2019), arXiv:1901.09392: the largest over the ball; here, as there, over random points of it.
    Theirs isn't divided by the map's size, which makes methods of different units comparable.

    Examples
    --------
    >>> from xaimri import Saliency, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> max_sensitivity(Saliency(), model, np.random.default_rng(0).random((8, 9, 1)))
    0.0
    """
    if not 0 < radius < np.inf or samples < 1:
        raise InvalidInput(f"`radius` must be above 0 and `samples` at least 1, got {radius} and {samples}.")
    explainer, model = build(explainer), classifier_of(classifier)
    (own,) = explainer.explain(model, image[None], target, of=of, against=against)
    refuse_constant(own)
    reach = radius * (float(image.max()) - float(image.min()))
    noise = np.random.default_rng(SEED.convert(seed, "seed")).uniform(-reach, reach, (samples, *image.shape))
    noisy = (image + noise).astype(np.float32)
    found = with_regions_of(own, explainer).explain(model, noisy, own.target, of=of, against=own.against)
    size = float(np.linalg.norm(finite_values(own)))
    moved = max(float(np.linalg.norm(finite_values(each) - finite_values(own))) for each in found)
    return moved / size if size > 0 else float("nan")


@check_arguments(explainer=Anything(), target=Anything(), against=Anything())
def seed_stability(
    explainer: str | Explainer[Any],
    classifier: ModelLike,
    image: Image,
    target: Target = None,
    *,
    seeds: Sequence[int] = SEEDS,
    by: Similarity = "spearman",
    of: Of | None = None,
    against: Target = None,
) -> float:
    """Explain with other seeds, and tell how alike the maps are: the mean over all pairs.

    From -1 to 1, higher is better; 1 for a method without a seed; about 0 by chance. It can't see an error
    that all seeds share.

    Parameters
    ----------
    explainer, classifier, image, target, of, against
        As of :func:`max_sensitivity`.
    seeds
        At least two.
    by
        How maps are compared.

    Notes
    -----
    Costs the explainer once per seed, and nothing where it has none.
    """
    if len(seeds) < 2:
        raise InvalidInput("give at least two `seeds` to compare.")
    explainer = build(explainer)
    if not _has(explainer, "seed"):
        return 1.0
    model = classifier_of(classifier)
    (own,) = _with(explainer, "seed", seeds[0]).explain(model, image[None], target, of=of, against=against)
    refuse_constant(own)
    fixed = with_regions_of(own, explainer)
    found = [finite_values(own)]
    for seed in seeds[1:]:
        (each,) = _with(fixed, "seed", seed).explain(
            model, image[None], own.target, of=of, against=own.against
        )
        found.append(finite_values(each))
    return float(np.mean([similarity(a, b, by) for a, b in combinations(found, 2)]))


@check_arguments(explainer=Anything(), target=Anything(), against=Anything())
def repeatability(
    explainer: str | Explainer[Any],
    classifier: ModelLike,
    image: Image,
    target: Target = None,
    *,
    other: ModelLike,
    by: Similarity = "ssim",
    of: Of | None = None,
    against: Target = None,
) -> float:
    """Explain another training of the same network, and tell how alike the maps are.

    From -1 to 1, higher is better; about 0 by chance. Two trainings that reach the same accuracy by different
    features have different maps, and rightly so: it measures the method and the training together. With
    another architecture as ``other`` it is Arun's reproducibility.

    Parameters
    ----------
    explainer, classifier, image, target, of, against
        As of :func:`max_sensitivity`; the class is that which ``classifier`` predicts.
    other
        The other network, with the same classes, as whatever it is.
    by
        How maps are compared.

    Notes
    -----
    Costs the explainer twice.

    References
    ----------
    Arun et al. (2021), doi:10.1148/ryai.2021200267.

    Examples
    --------
    >>> from xaimri import Saliency, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((8, 9, 1))
    >>> repeatability(Saliency(), model, image, other=model)
    1.0
    """
    explainer, model, second = build(explainer), classifier_of(classifier), classifier_of(other)
    (own,) = explainer.explain(model, image[None], target, of=of, against=against)
    refuse_constant(own)
    if not second.classes:
        second.logits(image[None])  # a function tells the number of its classes by its first answer
    if tuple(second.classes) != tuple(own.classes):
        raise InvalidInput(
            f"`other` has the classes {', '.join(second.classes)}, and the classifier "
            f"{', '.join(own.classes)}: give two trainings for the same classes."
        )
    (again,) = with_regions_of(own, explainer).explain(
        second, image[None], own.target, of=of, against=own.against
    )
    return similarity(finite_values(own), finite_values(again), by)


def with_regions_of(explanation: Explanation, explainer: Explainer[Any]) -> Explainer[Any]:
    """Return the explainer with the regions that it found, where it, or the one it wraps, works on any."""
    if explanation.regions is None or not _has(explainer, "regions"):
        return explainer
    return _with(explainer, "regions", Stored(explanation.regions.labels))


def _settings(explainer: Explainer[Any]) -> set[str]:
    return {field.name for field in fields(cast(Any, explainer))}


def _has(explainer: Explainer[Any], name: str) -> bool:
    """Tell whether an explainer, or the one that it wraps, has such a setting."""
    inner = getattr(explainer, "inner", None)
    return name in _settings(explainer) or (isinstance(inner, Explainer) and _has(inner, name))


def _with(explainer: Explainer[Any], name: str, value: object) -> Explainer[Any]:
    """Return the explainer with a setting of its own changed, or else of the one that it wraps."""
    if name not in _settings(explainer):
        name, value = "inner", _with(cast(Any, explainer).inner, name, value)
    changed: Explainer[Any] = replace(cast(Any, explainer), **{name: value})
    return changed
