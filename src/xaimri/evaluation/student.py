"""How many standard errors an interval has on either side, by Student's t."""

from __future__ import annotations

import math


def quantile(share: float, freedom: float) -> float:
    """Return the value below which so large a share of Student's t lies; of the normal, without end.

    Examples
    --------
    >>> round(quantile(0.975, 4), 3), round(quantile(0.975, math.inf), 3)
    (2.776, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    return float(ndtri(share) if math.isinf(freedom) else stdtrit(freedom, share))
