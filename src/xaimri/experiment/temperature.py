"""A bundle that is made as sure as it is right, on cases of validation, and stays so."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xaimri.data import Dataset
from xaimri.data.epoch import Loader
from xaimri.errors import XaimriError
from xaimri.model import Model, open_model

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


def calibrate(folder: str | Path, cases: Dataset | Loader, *, independent: bool = False) -> Model:
    """Make the network of a bundle as sure as it is right, and keep in the bundle what that takes.

    Parameters
    ----------
    folder
        The bundle's; opened as a model, its logits are divided by the temperature from now on.
    cases, independent
        As of :meth:`xaimri.Model.calibrated`.

    Raises
    ------
    InvalidInput
        If the folder holds no bundle, or as of :meth:`xaimri.Model.calibrated`.
    """
    from xaimri.adapters.keras.bundle import keep_scaling, load

    plain = replace(load(folder), scaling=None)  # what is lost and gained is told of the network itself
    made = open_model(plain).calibrated(cases, independent=independent)
    keep_scaling(folder, made.scaling)
    return replace(made, path=Path(folder))


def calibrated_bundle(folder: Path) -> Bundle | None:
    """Return the bundle that is in a folder, if its probabilities were calibrated."""
    from xaimri.adapters.keras.bundle import load

    try:
        there = load(folder)
    except XaimriError:  # none, or a broken one, which is written anew
        return None
    return None if there.scaling is None else there


def keep_temperature(folder: Path, before: Bundle) -> None:
    """Give the same network its temperature again; of another one, say that it is gone."""
    from xaimri.adapters.keras.bundle import keep_scaling, load

    pairs = zip(load(folder).model.get_weights(), before.model.get_weights(), strict=False)
    if all(np.array_equal(one, other) for one, other in pairs):
        keep_scaling(folder, before.scaling)
        return
    warnings.warn(
        f"The network in `{folder}` is another one than the calibrated one that was there: calibrate it "
        "again, as by `xaimri calibrate`.",
        stacklevel=4,
    )
