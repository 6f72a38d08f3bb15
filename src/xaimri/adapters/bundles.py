"""Tell a bundle, or its folder, from other models, without loading a framework where it is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xaimri.adapters import is_saved_model

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


def bundle_of(model: object) -> Bundle | None:
    """Return the bundle that this is, or that lies in this folder; None where it is none.

    Raises
    ------
    InvalidInput
        If the folder holds a bundle that can't be read, or nothing that is a model.
    """
    if f"{type(model).__module__}.{type(model).__qualname__}" == "xaimri.adapters.keras.bundle.Bundle":
        return cast("Bundle", model)
    if isinstance(model, str | os.PathLike) and Path(model).is_dir() and not is_saved_model(Path(model)):
        from xaimri.adapters.keras.bundle import load

        return load(Path(model))
    return None
