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


def tail_of(share: float, people: int) -> float:
    """Return the share of resamples below which the end of an interval lies that leaves out such a share.

    Percentiles of resamples are those of a normal with too small a variance [1]_; here the tail is so much
    smaller as Student's t is wider.

    References
    ----------
    .. [1] Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69, 2015.
       https://doi.org/10.1080/00031305.2015.1089789

    Examples
    --------
    >>> round(tail_of(0.025, 10), 4), round(tail_of(0.025, 1000), 4)
    (0.0086, 0.0248)
    """
    from scipy.special import ndtr

    reach = quantile(1 - share, people - 1) * math.sqrt(people / (people - 1))
    return float(ndtr(-reach))
