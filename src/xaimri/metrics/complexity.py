"""How much there is to take in: sparseness and entropy of a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.values import finite_values


@of_each
@check_arguments()
def sparseness(explanations: Sequence[Explanation]) -> Values:
    """Tell how unevenly the strength of a map is spread: the Gini index of its absolute values.

    From 0 (the same everywhere) to 1 - 1/n (all in one of n pixels). Higher is easier to read, which is not
    the same as right: it can't see where the values lie, nor their sign.

    Returns
    -------
    float or (batch,)
        NaN for a map of zeros.

    Notes
    -----
    Costs no model call.

    References
    ----------
    Chalasani et al. (2020), arXiv:1810.06583; the index: Hurley & Rickard (2009),
    doi:10.1109/TIT.2009.2027527.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([np.zeros((1, 4, 1)), [[[3.0], [0.0], [0.0], [0.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 4, 1)), 1)
    >>> sparseness(explanation), entropy(explanation)
    (0.75, 0.0)
    """
    found = []
    for each in explanations:
        strength = np.sort(np.abs(finite_values(each)), axis=None)
        total, count = strength.sum(), len(strength)
        weights = 2 * np.arange(1, count + 1) - count - 1
        found.append(float(weights @ strength / (count * total)) if total > 0 else np.nan)
    return np.array(found)


@of_each
@check_arguments()
def entropy(explanations: Sequence[Explanation]) -> Values:
    """Tell over how much a map is spread: the entropy of its absolute values, in natural units.

    From 0 (all in one pixel) to ln n (the same in all n pixels). Lower is easier to read, which is not the
    same as right: it can't see where the values lie, nor their sign.

    Returns
    -------
    float or (batch,)
        NaN for a map of zeros.

    Notes
    -----
    Costs no model call.

    References
    ----------
    Bhatt, Weller & Moura (2020), doi:10.24963/ijcai.2020/417, who call it complexity.
    """
    found = []
    for each in explanations:
        strength = np.abs(finite_values(each)).ravel()
        total = strength.sum()
        if not total > 0:
            found.append(np.nan)
            continue
        share = strength / total
        share = share[share > 0]
        found.append(0.0 - float((share * np.log(share)).sum()))
    return np.array(found)
