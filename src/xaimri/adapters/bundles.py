"""Tell a bundle, or its folder, from other models, without loading a framework where it is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xaimri.adapters import is_saved_model
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


def bundle_of(model: object) -> Bundle | None:
    """Return the bundle that this is, or that lies in this folder; None where it is none.

    Raises
    ------
    InvalidInput
        If there is nothing at this path, or the folder holds no bundle that can be read.
    """
    if f"{type(model).__module__}.{type(model).__qualname__}" == "xaimri.adapters.keras.bundle.Bundle":
        return cast("Bundle", model)
    if not isinstance(model, str | os.PathLike):
        return None
    path = Path(model)
    if not path.exists():  # said before a framework is loaded
        raise InvalidInput(f"no saved network at `{path}`: check the path.")
    if not path.is_dir() or is_saved_model(path):
        return None
    from xaimri.adapters.keras.bundle import load

    return load(path)
