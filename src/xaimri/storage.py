"""An explanation's record and arrays in a folder: stored bit for bit, read as they were or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np

from xaimri import array_file, json_file
from xaimri.archive import whole_folder
from xaimri.arrays import Array, Stored
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.json_file import Field, is_mapping, is_names, is_number, is_whole, is_words, or_none
from xaimri.objective import Of
from xaimri.regular_file import path_of, quoted

_RECORD, _ARRAYS = "record.json", "arrays.npz"

_REMEDY = "give a folder that `Explanation.store` wrote, or store the explanation again."

_MOST_BYTES = 8 * 2**30
"""Size up to which arrays are read: more than ten times a volume of `xaimri.images.decoders.MOST_PIXELS`."""


def _is_spacing(value: object) -> bool:
    return isinstance(value, list) and all(is_number(one) and one > 0 for one in value)


def _is_method(value: object) -> bool:
    return isinstance(value, dict) and is_words(value.get("name")) and is_mapping(value.get("settings", {}))


def _are_caveats(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(c, dict) and set(c) == {"name", "text"} for c in value)


FORM = {
    "xaimri": Field('"explanation"', lambda value: value == "explanation"),
    "target": Field("the index of a class", is_whole),
    "against": Field("the index of a class, or null", or_none(is_whole)),
    "of": Field("the name of a score", lambda value: is_words(value) and value in get_args(Of)),
    "unit": Field("words", is_words),
    "classes": Field("the names of the classes", is_names),
    "method": Field("the name and settings of a method", _is_method),
    "diagnostics": Field("a mapping", is_mapping),
    "caveats": Field("a list of names and texts", _are_caveats),
    "spacing": Field("a length above 0 for each axis, or null", or_none(_is_spacing)),
    "scan": Field("the grid of a scan, or null", or_none(is_mapping)),
    "arrays": Field("the SHA-256 of each array", is_mapping),
}
"""What a stored explanation's record holds; a field that is an array is not in it."""

_OPTIONAL = {"errors", "affine"}
"""Fields that are an array or None; the record has them where they are None."""


def store(fields: Mapping[str, Any], folder: str | Path) -> Path:
    """Keep the fields of an explanation in a new folder, bit for bit."""
    path, regions = path_of(folder, "folder"), fields["regions"]
    arrays = {k: v for k, v in fields.items() if isinstance(v, np.ndarray)}
    if regions is not None:
        arrays |= {f"regions.{k}": v for k, v in vars(regions).items() if v is not None}
    arrays |= {f"method.{sha}": v for sha, v in fields["method_arrays"].items()}
    digests = {name: Stored(array).sha256 for name, array in arrays.items()}
    told = {name: plain(fields[name]) for name in FORM if name in fields}
    text = json_file.text_of({"xaimri": "explanation", **told, "arrays": digests})
    with whole_folder(path) as new:
        (new / _RECORD).write_text(text, encoding="utf-8")
        array_file.write(new / _ARRAYS, arrays)
    return path


def numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an explanation as JSON types, but for image and maps."""
    regions = fields["regions"]
    own = ("values", "errors")
    return {
        **{name: plain(fields[name]) for name in FORM if name in fields},
        **{name: plain(fields[name]) for name in ("logits", "probabilities")},
        "regions": None if regions is None else {name: plain(getattr(regions, name)) for name in own},
    }


def read(folder: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the record that :func:`store` wrote, and the arrays by their names.

    Raises
    ------
    InvalidInput
        If the folder is missing, or its files are not as they were written.
    StorageFault
        If the system doesn't let them be read.
    """
    source = path_of(folder, "folder")
    record = json_file.read(source / _RECORD, FORM, _REMEDY)
    arrays = array_file.read(source / _ARRAYS, _REMEDY, most=_MOST_BYTES)
    with whole(folder):
        _check(record, arrays)
    return record, arrays


@contextmanager
def whole(folder: str | Path) -> Iterator[None]:
    """Say of what does not fit together that the folder holds no whole explanation."""
    try:
        yield
    except (InvalidInput, TypeError) as damage:
        reason = str(damage).rstrip(".")
        raise InvalidInput(
            f"{quoted(path_of(folder))} holds no whole explanation ({reason}): {_REMEDY}"
        ) from damage


def _check(record: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """See that the arrays are those of the record, and all fit together."""
    _require({name: Stored(array).sha256 for name, array in arrays.items()} == record["arrays"], "its arrays")
    _check_arrays(arrays, len(record["classes"]))
    space = arrays["values"].shape
    _require(record["spacing"] is None or len(record["spacing"]) == len(space), "`spacing`")
    indices = [i for i in (record["target"], record["against"]) if i is not None]
    _require(all(0 <= i < len(record["classes"]) for i in indices), "the explained class")
    _require(len(set(indices)) == len(indices), "the class that it is held against")


def _check_arrays(arrays: Mapping[str, Array], classes: int) -> None:
    """See that each array has the type and shape that its field has."""
    needed = {"values", "image", "logits", "probabilities"}
    regions = {"regions.labels", "regions.values"}
    own = {k for k in arrays if not k.startswith("method.")}
    _require(needed <= own <= needed | regions | _OPTIONAL | {"regions.errors"}, "the names of its arrays")
    _require(regions <= own or not own & (regions | {"regions.errors"}), "its regions")
    space = arrays["values"].shape
    regional = arrays["regions.values"].shape if "regions.values" in arrays else ()
    shapes: dict[str, Callable[[tuple[int, ...]], bool]] = {
        "values": lambda shape: len(shape) > 0 and math.prod(shape) > 0,
        "image": lambda shape: shape[:-1] == space and shape[-1:] != (0,),
        "errors": lambda shape: shape == space,
        "logits": lambda shape: shape == (classes,),
        "probabilities": lambda shape: shape == (classes,),
        "affine": lambda shape: shape == (4, 4),
        "regions.labels": lambda shape: shape == space,
        "regions.values": lambda shape: len(shape) == 1,
        "regions.errors": lambda shape: shape == regional,
    }
    for name in own:
        kinds = "i" if name == "regions.labels" else "f"
        _require(arrays[name].dtype.kind in kinds and shapes[name](arrays[name].shape), f"`{name}`")
    if regional:
        labels = arrays["regions.labels"]
        _require(labels.min() >= -1 and labels.max() < regional[0], "`regions.labels`")
    outside = (arrays["probabilities"] < -1e-6) | (arrays["probabilities"] > 1 + 1e-3)
    _require(not bool(outside.any()), "`probabilities`")


def _require(holds: bool | np.bool_, what: str) -> None:
    """Say what does not fit the rest."""
    if not holds:
        raise InvalidInput(f"{what} can't be right beside the rest")


def plain(value: Any) -> Any:
    """Turn a value into JSON types; JSON has no NaN, so a number that is none becomes null."""
    if isinstance(value, Caveat):
        return {"name": value.name, "text": value.text}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list | np.ndarray):
        return [plain(v) for v in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
