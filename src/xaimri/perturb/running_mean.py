"""Mean, variance and standard error of samples that come in parts, each of which is forgotten."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xaimri.arrays import Array


class RunningMean:
    """Running mean and variance along the first axis, in double precision.

    References
    ----------
    Chan, Golub & LeVeque (1983), doi:10.1080/00031305.1983.10483115.

    Examples
    --------
    >>> moments = RunningMean()
    >>> moments.add([[1.0], [2.0]])
    >>> moments.add([[6.0]])
    >>> float(moments.mean[0]), float(moments.variance[0]), round(float(moments.error[0]), 6)
    (3.0, 7.0, 1.527525)
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Array = np.zeros(())
        self._squares: Array = np.zeros(())

    def add(self, samples: npt.ArrayLike) -> None:
        """Take in samples ``(samples, ...)``."""
        part = np.asarray(samples, dtype=np.float64)
        if not len(part):
            return
        mean = part.mean(axis=0)
        self.merge(len(part), mean, ((part - mean) ** 2).sum(axis=0))

    def merge(self, number: int, mean: npt.ArrayLike, squares: npt.ArrayLike) -> None:
        """Take in so many samples by their mean and their summed squared distances from it.

        Examples
        --------
        >>> moments = RunningMean()
        >>> moments.merge(2, 1.5, 0.5)
        >>> moments.merge(1, 6.0, 0.0)
        >>> float(moments.mean), float(moments.variance)
        (3.0, 7.0)
        """
        count = self.count + number
        shift = np.asarray(mean) - self.mean
        self._squares = self._squares + np.asarray(squares) + shift**2 * (self.count * number / count)
        self.mean = self.mean + shift * (number / count)
        self.count = count

    @property
    def variance(self) -> Array:
        """Unbiased variance of the samples; NaN of fewer than two."""
        return np.asarray(self._squares / (self.count - 1) if self.count > 1 else self._squares + np.nan)

    @property
    def error(self) -> Array:
        """Standard error of the mean."""
        return np.asarray(np.sqrt(self.variance / max(self.count, 1)))
