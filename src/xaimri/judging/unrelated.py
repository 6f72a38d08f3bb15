"""How alike a method's maps of different images are: what similarities of maps are to be held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Image
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.similarity import Similarity, similarity
from xaimri.metrics.values import finite_values

COMPARED = 5
"""Maps of other images that each is compared with."""


@of_each
@check_arguments()
def unrelated_similarity(explanations: Sequence[Explanation], *, by: Similarity = "ssim") -> Values:
    """Tell how alike a method's maps of different images are: the mean over its next few in the list.

    From -1 to 1, lower is better: a method that draws the same whatever the image shows nothing of it. What
    images have in common, such as empty background, raises it for a right method too.

    Parameters
    ----------
    explanations
        Several at once; a single one has nothing to be compared with.
    by
        How maps are compared.

    Returns
    -------
    float or (batch,)
        NaN where no other image was explained by the same method.

    Notes
    -----
    Costs no model call.

    References
    ----------
    The randomisation baseline of Arun et al. (2021), doi:10.1148/ryai.2021200267.

    Examples
    --------
    >>> from xaimri import LinearClassifier, Saliency
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> maps = Saliency().explain(model, np.random.default_rng(0).random((3, 8, 9, 1)), 1)
    >>> unrelated_similarity(maps).tolist()  # a linear model has one gradient, whatever the image
    [1.0, 1.0, 1.0]
    """
    found = []
    for number, own in enumerate(explanations):
        around = (*explanations[number + 1 :], *explanations[:number])
        others = [each for each in around if each.method == own.method and not _same(each.image, own.image)]
        alike = [similarity(finite_values(own), finite_values(each), by) for each in others[:COMPARED]]
        found.append(float(np.mean(alike)) if alike else np.nan)
    return np.array(found)


def _same(one: Image, other: Image) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))
