"""Whatever the user has as a classifier, bundles too; no framework is loaded before it is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from xaimri.adapters import as_classifier, is_preset, is_saved_model
from xaimri.adapters.options import ModelLike
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.regular_file import fault_of, path_of, quoted

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


def open_classifier(model: ModelLike, **options: Any) -> tuple[Classifier, Bundle | None]:
    """Return the classifier of whatever the user has, and the bundle that it comes from, if any.

    Parameters
    ----------
    model
        As of :func:`xaimri.open_model`; what is open already is its own classifier.
    **options
        As of :func:`xaimri.adapters.as_classifier`; a bundle knows its classes.
    """
    own = getattr(model, "classifier", None)
    if isinstance(own, Classifier) and not isinstance(model, Classifier):
        return own, None
    bundle = bundle_of(model)
    if bundle is None:
        return as_classifier(model, **options), None
    known = {} if options.get("classes") is not None else {"classes": bundle.classes}
    return as_classifier(bundle.model, **{**options, **known}), bundle


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
    path = path_of(model, "saved network")
    fault = fault_of(path)
    if fault is not None and fault.kind != "folder":  # said before a framework is loaded
        if fault.kind == "nothing":
            raise InvalidInput(f"no saved network at {quoted(path)}: check the path.")
        raise fault.error(f"{quoted(path)} {fault.words}: give the path of a saved network.")
    if path.is_file() and path.name == "model.keras" and path.with_name("bundle.json").is_file():
        path = path.parent  # the network's file in a bundle, which knows how it is used
    if not path.is_dir() or is_saved_model(path) or is_preset(path):
        return None
    from xaimri.adapters.keras.bundle import load

    return load(path)
