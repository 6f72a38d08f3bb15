"""What logits are made with, in each framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Arithmetic:
    """One framework's functions of its arrays.

    Attributes
    ----------
    clip
        Of an array and its lowest and highest value.
    log, log1p
        Of an array.
    join
        Of several arrays, along their last axis.
    """

    clip: Callable[..., Any]
    log: Callable[..., Any]
    log1p: Callable[..., Any]
    join: Callable[..., Any]


NUMPY = Arithmetic(np.clip, np.log, np.log1p, partial(np.concatenate, axis=-1))
