"""Files that tell of a network from outside: its evaluation, the audits of its split and of itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri.errors import InvalidInput, first_line
from xaimri.regular_file import open_regular, path_of, quoted

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle

EVALUATION = ("classes", "images", "subjects", "slice", "subject", "confidence", "notes")
SPLIT_AUDIT = ("verdict", "reason", "images", "pairs")
MODEL_AUDIT = ("headline", "findings", "untold")
"""What each kind of file must hold."""

MAKERS = {
    EVALUATION: "the report.json that `xaimri evaluate` writes",
    SPLIT_AUDIT: "what `xaimri audit split` writes as JSON",
    MODEL_AUDIT: "what `xaimri audit model` writes as JSON",
}

DIGITS = 1e-6
"""How far the temperature of a report may lie beside the bundle's, in parts of it."""


def read_evidence(
    path: str | Path,
    keys: Collection[str],
    bundle: Bundle | None,
    classes: Sequence[str] = (),
    any_temperature: bool = False,
) -> dict[str, Any]:
    """Read a file, and see that it is of this network where both are known; ``classes`` are the network's.

    With ``any_temperature``, it may be of another temperature: `other_temperature` says so.

    Raises
    ------
    InvalidInput
        If it is no such file, or is of another network, other classes or another temperature.
    """
    file = path_of(path)
    remedy = f"give {MAKERS[tuple(keys)]}."
    with open_regular(file, remedy) as stream:
        try:
            found = json.loads(stream.read())
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{quoted(file)} is no JSON ({first_line(error)}): {remedy}") from error
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing:
        raise InvalidInput(f"{quoted(file)} has no {missing[0]!r}: {remedy}")
    if bundle is not None:
        _check(file, found, bundle, any_temperature)
    _check_classes(file, found, classes if bundle is None else bundle.classes)
    return dict(found)


def is_named(found: Mapping[str, Any]) -> bool:
    """Tell whether a file says of which network it is."""
    return bool((found.get("model") or {}).get("sha256"))


def _check(file: Path, found: Mapping[str, Any], bundle: Bundle, any_temperature: bool) -> None:
    """Refuse what is of another network."""
    of = found.get("model") or {}
    if of.get("sha256") not in (None, bundle.sha256):
        raise InvalidInput(
            f"{quoted(file)} is of another network (SHA-256 {str(of['sha256'])[:12]}..., and that of this "
            f"bundle is {bundle.sha256[:12]}...): make it again for this one."
        )
    told = other_temperature(file, found, bundle)
    if told is not None and not any_temperature:
        raise InvalidInput(told)


def other_temperature(file: Path, found: Mapping[str, Any], bundle: Bundle) -> str | None:
    """Say that a file was made before, or after, the network was calibrated; None where it was not."""
    now = 1.0 if bundle.scaling is None else bundle.scaling.temperature
    then = (found.get("model") or {}).get("temperature")
    if then is None or abs(then - now) <= DIGITS * now:
        return None
    maker = "audit model" if "findings" in found else "evaluate"
    return (
        f"{quoted(file)} was made at the temperature {then:.4g}, and this bundle's is {now:.4g}: its "
        f"probabilities are others, so make it again by `xaimri {maker}`."
    )


def _check_classes(file: Path, found: Mapping[str, Any], classes: Sequence[str]) -> None:
    """Refuse what is of other classes, where these are known."""
    told = found.get("classes")
    if classes and told is not None and list(told) != list(classes):
        raise InvalidInput(
            f"{quoted(file)} tells of the classes {', '.join(map(str, told))}, and this network has "
            f"{', '.join(classes)}: give the file of this network."
        )
