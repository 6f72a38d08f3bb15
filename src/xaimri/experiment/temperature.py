"""A bundle that is made as sure as it is right, on cases of validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from xaimri.data import Dataset
from xaimri.data.epoch import Loader
from xaimri.model import Model, open_model


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
