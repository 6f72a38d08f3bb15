"""Do all values together add up to the score's whole fall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Image
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.partition import logit_pairs
from xaimri.metrics.score import explained_score, refuse_still
from xaimri.metrics.values import pixel_shares
from xaimri.objective import Of
from xaimri.perturb.absent import Absent, AbsentRule, checked_absent, hidden
from xaimri.perturb.responses import scored


@of_each
@check_arguments(absent=AbsentRule())
def completeness_gap(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = 0.0,
    of: Of | None = None,
    seed: int = 0,
) -> Values:
    """Compare the sum of the values with the score's fall when everything is hidden.

    Relative to that fall: 0 where the values add up to it, 1 where they add up to 0; lower is better. Only
    methods that promise to add up, such as SHAP and integrated gradients, can be held to it, and with what
    they compare with as ``absent``. It can't see where the values lie.

    Parameters
    ----------
    explanations, classifier, absent, of, seed
        As of :func:`xaimri.metrics.infidelity`. Regions are hidden as a method of regions hides them.

    Returns
    -------
    float or (batch,)
        NaN where hiding everything leaves the score as it is.

    Notes
    -----
    Costs 1 model call per map, and 1 per image.

    References
    ----------
    Sundararajan, Taly & Yan (2017), arXiv:1703.01365.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = InputXGradient().explain(model, image)
    >>> round(completeness_gap(explanation, model), 5)
    0.0
    """
    absent = checked_absent(absent)

    def gone(number: int) -> Image:
        each = explanations[number]
        whole = np.zeros(each.values.shape, dtype=np.int64)
        return hidden(each.image, whole if each.regions is None else each.regions.labels, absent, seed)

    found = []
    for pair, each in zip(logit_pairs(explanations, classifier, gone), explanations, strict=True):
        asked = explained_score(each, of)
        before, after = scores = scored(pair, asked)
        refuse_still(scores, each, classifier, asked)
        fall = float(before - after)
        gap = abs(float(pixel_shares(each).sum()) - fall)
        found.append(gap / abs(fall) if fall else np.nan)
    return np.array(found)
