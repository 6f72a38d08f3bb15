"""The score that a metric follows: the one that the map explains, or another of the same class."""

from __future__ import annotations

from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arrays import Array
from xaimri.caveats import Reason
from xaimri.doubts.constancy import constant_score
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.metrics.model import classifier_of
from xaimri.objective import Objective, Of
from xaimri.perturb.responses import is_flat


def explained_score(explanation: Explanation, of: Of | None = None) -> Objective:
    """Return the score that a map is held to: by default its own.

    Raises
    ------
    InvalidInput
        If another is asked of a map that explains one class against another.
    """
    own = explanation.objective
    if of is None or of == own.of:
        return own
    if own.against is not None:
        raise InvalidInput(
            f"the map explains {explanation.question}, a difference of logits: leave `of` out, which then "
            f"follows that difference, got {shown(of)}."
        )
    return Objective(own.targets, of)


def watched_score(explanation: Explanation, of: Of | None = None) -> Objective:
    """Return the score that is watched while an image changes: by default the class's probability.

    Of a map that explains one class against another it is the difference of the logits, as the map.
    """
    if of is None and explanation.against is None:
        of = "probability"
    return explained_score(explanation, of)


def refuse_constant(explanation: Explanation) -> Explanation:
    """Return a map, unless it is one of a score that nothing changes.

    Raises
    ------
    InvalidInput
        With the sentence of the caveat `constant_score`, which no number can stand for.
    """
    for caveat in explanation.caveats:
        if caveat.reason is Reason.CONSTANT_SCORE:
            raise InvalidInput(caveat.text)
    return explanation


def refuse_still(
    scores: Float[Array, " scores"], explanation: Explanation, classifier: ModelLike, asked: Objective
) -> None:
    """See that the score that a metric watches changes with the image, where it was not seen to.

    Raises
    ------
    InvalidInput
        If other images have the same score too; costs a batch of them, where all ``scores`` are one.
    """
    if is_flat(scores):
        caveat = constant_score(classifier_of(classifier), explanation, asked)
        if caveat is not None:
            raise InvalidInput(caveat.text)
