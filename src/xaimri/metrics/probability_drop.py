"""The image seen through its map: how much of the class's probability it keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Scores
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.partition import logit_pairs, partitions
from xaimri.metrics.score import refuse_still, watched_score
from xaimri.metrics.values import finite_values
from xaimri.perturb.absent import Absent, AbsentRule
from xaimri.perturb.responses import scored


@of_each
@check_arguments(absent=AbsentRule())
def average_drop(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = 0.0,
    seed: int = 0,
) -> Values:
    """Look at the image through the map, and tell what share of the class's probability is lost.

    From 0 to 1, lower is better; a rise counts as 0, and so does a class of no probability. It can't see
    negative values; a positive map that is the same everywhere loses nothing, so a flat map looks perfect.

    Parameters
    ----------
    explanations
        One, or several at once, on the classifier's own grid.
    classifier
        The model that was explained.
    absent
        What shows where the map is not positive: 0, as published, is black.
    seed
        Of noise as ``absent``.

    Returns
    -------
    float or (batch,)

    Notes
    -----
    Costs 1 model call per map, and 1 per image. Of a map that explains one class against another the
    probability is that of the first if it is one of the two, ``p_a / (p_a + p_b)``, which the difference of
    their logits decides.

    References
    ----------
    Chattopadhyay et al. (2018), doi:10.1109/WACV.2018.00097.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([np.zeros((1, 2, 1)), [[[4.0], [0.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 2, 1)), 1)
    >>> average_drop(explanation, model), average_increase(explanation, model)
    (0.0, 0.0)
    """
    whole, through = _probabilities(explanations, classifier, absent, seed)
    lost = np.maximum(whole - through, 0)
    return np.asarray(np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0))


@of_each
@check_arguments(absent=AbsentRule())
def average_increase(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = 0.0,
    seed: int = 0,
) -> Values:
    """Look at the image through the map: 1 where the class becomes more probable, else 0.

    Higher is better; the mean over images is the published figure. It can't see much where the network is
    certain already: what can't rise is 0 for any map. Everything else is as of :func:`average_drop`.

    References
    ----------
    Chattopadhyay et al. (2018), doi:10.1109/WACV.2018.00097.
    """
    whole, through = _probabilities(explanations, classifier, absent, seed)
    return np.asarray((through > whole).astype(np.float64))


def _probabilities(
    explanations: Sequence[Explanation], classifier: ModelLike, absent: Absent, seed: int
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """Return the probability of the whole image, and of the image seen through the map."""
    images = list(partitions(explanations, absent, None, seed))

    def image_through(number: int) -> Image:
        each = explanations[number]
        positive = np.maximum(finite_values(each), 0)
        share = (positive / (positive.max() or 1.0))[..., None]
        return share * each.image + (1 - share) * images[number].gone

    both = logit_pairs(explanations, classifier, image_through)
    found = [_probability(pair, each, classifier) for pair, each in zip(both, explanations, strict=True)]
    whole, through = np.array(found).T
    return whole, through


def _probability(logits: Scores, explanation: Explanation, classifier: ModelLike) -> Float[Array, " samples"]:
    """Return the class's probability, or its share of that of both classes against another."""
    asked = watched_score(explanation)
    scores = scored(logits, asked)
    refuse_still(scores, explanation, classifier, asked)
    return scores if explanation.against is None else 0.5 + 0.5 * np.tanh(scores / 2)
