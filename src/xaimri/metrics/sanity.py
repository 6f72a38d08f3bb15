"""Does the map depend on what the network has learned: weights destroyed, and labels shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image
from xaimri.classifier import Classifier, Randomisable
from xaimri.errors import InvalidInput, MissingCapability, shown
from xaimri.explainer import Explainer
from xaimri.explainers import build
from xaimri.explanation import Explanation
from xaimri.kinds import Anything
from xaimri.metrics.model import classifier_of
from xaimri.metrics.robustness import repeatability, with_regions_of
from xaimri.metrics.score import refuse_constant
from xaimri.metrics.similarity import Similarity, similarity
from xaimri.metrics.values import finite_values
from xaimri.objective import Of
from xaimri.rules import SEED
from xaimri.targets import Target

Order: TypeAlias = Literal["cascading", "independent"]
"""Whether the layers above stay destroyed as one goes down, or each is destroyed alone."""


@dataclass(frozen=True, eq=False)
class Cascade:
    """Maps of a network whose weights were destroyed, and how alike they are to the network's own.

    Attributes
    ----------
    layers
        The lowest layer that was destroyed for each map, from the output down.
    own
        The map of the network itself.
    explanations
        One for each of ``layers``.
    similarities
        ``(layers,)``, each to ``own``.
    """

    layers: tuple[str, ...]
    own: Explanation
    explanations: tuple[Explanation, ...]
    similarities: Float[Array, " layers"]

    def __float__(self) -> float:
        """Return the last similarity, with all the weights destroyed."""
        return float(self.similarities[-1])


@check_arguments(explainer=Anything(), target=Anything(), against=Anything())
def randomisation(
    explainer: str | Explainer[Any],
    classifier: ModelLike,
    image: Image,
    target: Target = None,
    *,
    order: Order = "cascading",
    steps: int | None = 1,
    by: Similarity = "ssim",
    of: Of | None = None,
    against: Target = None,
    seed: int = 0,
) -> Cascade:
    """Destroy the network's weights from the output down, and tell how much of the map is left.

    As a number: the similarity of the map of a wholly destroyed network to the network's own, -1 to 1. Lower
    is better: a map that stays (near 1) shows the image, not the network. A low value doesn't say that the
    map is right.

    Parameters
    ----------
    explainer, image, target, of, against
        As of :func:`xaimri.metrics.max_sensitivity`; the class is that which the network itself predicts.
    classifier
        A model that can be had with destroyed weights, such as a Keras network.
    order
        ``"cascading"``: the layers above stay destroyed; ``"independent"``: each alone.
    steps
        At how many layers, evenly spaced from the output down, a map is made; the last is the lowest layer.
        None makes one at every layer.
    by
        How maps are compared.
    seed
        Of the destruction.

    Returns
    -------
    Cascade
        ``float(cascade)`` is the last similarity.

    Notes
    -----
    Costs the explainer ``steps + 1`` times, and a compiled function for each step. Within each weight array
    the entries change places, so that their distribution stays: a newly drawn network may saturate, and its
    map be lost for that reason alone. The user's network stays as it is.

    References
    ----------
    Adebayo et al. (2018), arXiv:1810.03292, who draw the weights anew.

    Examples
    --------
    >>> from xaimri import Saliency, LinearClassifier
    >>> model = LinearClassifier.random((16, 18, 1), seed=0)
    >>> image = np.random.default_rng(0).random((16, 18, 1))
    >>> abs(float(randomisation(Saliency(), model, image))) < 0.5
    True
    """
    network = randomisable(classifier_of(classifier), "randomisation")
    SEED.convert(seed, "seed")
    if order not in ("cascading", "independent"):
        raise InvalidInput(f'`order` must be "cascading" or "independent", got {shown(order)}.')
    if steps is not None and steps < 1:
        raise InvalidInput(f"`steps` must be at least 1, got {steps}.")
    explainer = build(explainer)
    (own,) = explainer.explain(network, image[None], target, of=of, against=against)
    refuse_constant(own)
    fixed, names = with_regions_of(own, explainer), network.layers
    count = len(names) if steps is None else min(steps, len(names))
    places = np.unique(np.rint(np.linspace(0, len(names), count + 1)[1:]).astype(int))
    found = []
    for place in places.tolist():
        chosen = names[:place] if order == "cascading" else names[place - 1 : place]
        (each,) = fixed.explain(
            network.randomised(chosen, seed), image[None], own.target, of=of, against=own.against
        )
        found.append(each)
    alike = np.array([similarity(finite_values(each), finite_values(own), by) for each in found])
    return Cascade(tuple(names[place - 1] for place in places), own, tuple(found), alike)


@check_arguments(explainer=Anything(), target=Anything(), against=Anything())
def label_randomisation(
    explainer: str | Explainer[Any],
    classifier: ModelLike,
    image: Image,
    target: Target = None,
    *,
    control: ModelLike,
    by: Similarity = "ssim",
    of: Of | None = None,
    against: Target = None,
) -> float:
    """Explain a control that was trained on shuffled labels, and tell how alike the maps are.

    From -1 to 1, lower is better: what both maps show was not learned from the labels. It can't tell a method
    that sees edges from two networks that learned the same edges.

    Parameters
    ----------
    explainer, classifier, image, target, by, of, against
        As of :func:`xaimri.metrics.repeatability`.
    control
        The same network, trained on :meth:`xaimri.data.Dataset.with_shuffled_labels`.

    Notes
    -----
    Costs the explainer twice.

    References
    ----------
    Adebayo et al. (2018), arXiv:1810.03292.
    """
    return repeatability(explainer, classifier, image, target, other=control, by=by, of=of, against=against)


def randomisable(model: Classifier, what: str) -> Randomisable:
    """Return the model, if it has weights that can be destroyed."""
    if not isinstance(model, Randomisable):
        raise MissingCapability(
            f"{what} needs a Randomisable model, and {type(model).__name__} is not one: give a Keras "
            "network, as xaimri.KerasClassifier(network)."
        )
    if not model.layers:
        raise MissingCapability(f"{what} destroys weights, and the network has none: leave it out.")
    return model
