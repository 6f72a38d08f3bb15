"""How alike two images are when one is laid on the other: by an affine map, and in their fine structure."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array

COARSE = 48
"""Edge at which images are laid on each other, in pixels."""

STEPS = 20
"""Most steps of the search at that edge; a quarter of them follow at full size."""

OVERLAP = 0.2
"""Share of the image that must lie on the other one."""

FINE = 1 / 32
"""Structure wider than this share of the edge is taken off before images are compared."""

RIDGE = 1e-3
"""Share of their mean square that is added to the nine weights' squares."""


def similarity(
    test: Float[Array, "size size"], train: Float[Array, "size size"], guess: Float[Array, "2 3"]
) -> float:
    """Return how alike the fine structure of two thumbnails is where they lie on each other, at most 1.

    An affine map is refined from the guess by the enhanced correlation coefficient (Evangelidis & Psarakis
    2008, doi:10.1109/TPAMI.2008.113). Then what is wider than 1/32 of the edge is taken off both, and a
    blur or sharpening of 3 x 3 weights, fitted by least squares, is made good before they are correlated:
    so a change of contrast, or a second resampling, costs little, and another slice of the same head costs
    much.

    Parameters
    ----------
    test, train
        Thumbnails, stretched to a square.
    guess
        Map from pixels (x, y) of ``test`` to those of ``train``.
    """
    import cv2

    map_ = _refined(test, train, guess)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = test.shape[::-1]
    laid = cv2.warpAffine(train, map_, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(train), map_, size, flags=how) > 0.99
    if inside.mean() < OVERLAP:
        return 0.0
    one, other = detail(test, FINE), detail(laid, FINE)
    return max(_alike(one, other, inside), _alike(other, one, inside))


def detail(image: Float[Array, "size size"], width: float) -> Float[Array, "size size"]:
    """Return an image without what is wider than a share of its edge."""
    import cv2

    coarse: Array = image - cv2.GaussianBlur(image, (0, 0), width * len(image))
    return coarse


def _refined(test: Array, train: Array, guess: Array) -> Array:
    """Return the affine map at which two images fit best, found at a small size, then at their own."""
    import cv2

    small = [cv2.resize(image, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for image in (test, train)]
    scale = COARSE / len(test)
    map_ = _fitted(small[0], small[1], _scaled(guess, scale), STEPS)
    return _fitted(test, train, _scaled(map_, 1 / scale), STEPS // 4)


def _scaled(map_: Array, scale: float) -> Array:
    """Return an affine map of pixels as it is for images scaled about their corner."""
    matrix, shift = map_[:, :2], map_[:, 2]
    moved = scale * shift + (1 - scale) / 2 * (matrix.sum(axis=1) - 1)
    return np.column_stack([matrix, moved]).astype(np.float32)


def _fitted(test: Array, train: Array, map_: Array, steps: int) -> Array:
    import cv2

    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-4)
    try:
        found: Array = cv2.findTransformECC(
            detail(test, 1 / 8), detail(train, 1 / 8), map_.copy(), cv2.MOTION_AFFINE, stop, None, 3
        )[1]
    except cv2.error:  # they do not meet, or one is flat: the guess stands
        return map_
    return found


def _alike(one: Array, other: Array, inside: Bool[Array, "size size"]) -> float:
    """Return the correlation of an image with another that a kernel of 3 x 3 brings as near as it can."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    columns = np.stack([np.roll(one, shift, (0, 1))[inside] for shift in shifts])
    columns -= columns.mean(axis=1, keepdims=True)
    aim = other[inside] - other[inside].mean()
    squares = columns @ columns.T
    squares += RIDGE * np.trace(squares) / len(shifts) * np.eye(len(shifts), dtype=squares.dtype)
    if not squares[0, 0] > 0:
        return 0.0
    fitted = np.linalg.solve(squares, columns @ aim) @ columns
    return float(fitted @ aim / (np.linalg.norm(fitted) * np.linalg.norm(aim) + 1e-9))
