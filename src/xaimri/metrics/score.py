"""The score that a metric follows: the one that the map explains, or another of the same class."""

from __future__ import annotations

from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.objective import Objective, Of


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
            f"the map explains {explanation.question}, a difference of logits: leave `of` away, which then "
            f"follows that difference, got {of!r}."
        )
    return Objective(own.targets, of)


def watched_score(explanation: Explanation, of: Of | None = None) -> Objective:
    """Return the score that is watched while an image changes: by default the class's probability.

    Of a map that explains one class against another it is the difference of the logits, as the map.
    """
    if of is None and explanation.against is None:
        of = "probability"
    return explained_score(explanation, of)
