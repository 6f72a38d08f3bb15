"""What a cohort's Parquet files hold: a column for everything that is known of a case and a method."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, TypeAlias

from xaimri.errors import MissingExtra

VERSION = 2
"""Of the columns and their meaning; another version is refused. 2 has cells, and records of single cases."""

Precision: TypeAlias = Literal["float16", "float32"]
"""How exactly a map is kept."""

KeptMaps: TypeAlias = Literal["whole", "cells", "regions", "none"]
"""Whether a map is kept pixel by pixel, as cells or regions only, as regions only, or not at all."""

COLUMNS: dict[str, str] = {
    "case": "the case's id: of a folder, the path below it",
    "method": "the method's name, or the name that it was given under",
    "subject": "whose image it is; null where that is not known",
    "label": "the case's own class by name; null where it has none",
    "source": "where the image was read; null of an image in memory",
    "key": "SHA-256 of the image, the model, the method's record and the target: equal for equal work",
    "image_sha256": "of the image's file, or of its pixels",
    "stamp": "when the image's files were last written, and their bytes; null of an image in memory",
    "target": "the explained class by name",
    "against": "the class that it is held against; null where there is none",
    "of": "the explained score: logit, log_odds or probability",
    "unit": "what one unit of the map is",
    "predicted": "the class of the highest probability",
    "probability": "the target's",
    "probabilities": "of every class, in the order of the model's classes",
    "logits": "of every class",
    "map": "the map's values, row by row (the last axis runs fastest); null where maps are not kept",
    "cells": "where they are kept in the place of the map: the values of the cells that it was carried from",
    "cells_grid": "where the cells lie on the network's input, and that on the image, as JSON",
    "map_scale": "what the values of `map`, `cells` and `errors` are multiplied by: 1 but for float16",
    "map_shape": "the map's sides: those of the image",
    "errors": "standard error of every value of the map; null where the method tells none",
    "region_labels": "the region of every pixel, -1 in none; null where there are none",
    "region_values": "the value of every region",
    "region_errors": "the standard error of every region's value",
    "sums": "the sum of the map's positive values and that of its negative ones",
    "method_record": "the method's record as JSON where this case has one of its own; else null",
    "method_arrays": "arrays that this record names, by their SHA-256; those of all cases are in arrays.npz",
    "diagnostics": "what helps to judge the map, as JSON",
    "caveats": "names and sentences: reasons not to trust the map",
    "spacing": "size of a voxel in mm along each axis; null where it is not known",
    "affine": "the 16 numbers, row by row, that take indices to mm; null where they are not known",
    "scan": "the scan's own grid, as JSON; null of what is no scan",
    "seconds": "what the batch took for this method, divided by its cases; two at once share the clock",
    "failure": "null, or the sentence that says why there is no map",
    "stage": "null, or where it failed: read or explain",
}
"""What each column means; the page on cohorts has the same table."""


def arrow() -> Any:
    """Return the package that reads and writes Parquet.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import pyarrow
    except ImportError as missing:
        raise MissingExtra("pyarrow", "cohort", "a cohort's store") from missing
    return pyarrow


@cache
def schema(precision: Precision = "float32") -> Any:
    """Return the Arrow schema: types, which columns are never null, and what each means.

    Examples
    --------
    >>> schema("float16").field("map").type.value_type
    DataType(halffloat)
    """
    pa = arrow()
    real = {"float16": pa.float16(), "float32": pa.float32()}[precision]
    lists = {
        "probabilities": pa.float32(), "logits": pa.float32(), "map": real, "cells": real, "errors": real,
        "map_shape": pa.int32(), "region_labels": pa.int32(), "region_values": pa.float32(),
        "region_errors": pa.float32(), "sums": pa.float64(), "spacing": pa.float64(), "affine": pa.float64(),
    }  # fmt: skip
    caveats = pa.list_(pa.struct([("name", pa.string()), ("text", pa.string())]))
    array = [("sha256", pa.string()), ("dtype", pa.string()), ("shape", pa.list_(pa.int64()))]
    arrays = pa.list_(pa.struct([*array, ("content", pa.binary())]))
    numbers = dict.fromkeys(("probability", "map_scale", "seconds"), pa.float32())
    kinds = {name: pa.list_(each) for name, each in lists.items()} | numbers
    kinds |= {"caveats": caveats, "method_arrays": arrays}
    return pa.schema(
        [
            pa.field(
                name,
                kinds.get(name, pa.string()),
                nullable=name not in ("case", "method"),
                metadata={"meaning": meaning},
            )
            for name, meaning in COLUMNS.items()
        ],
        metadata={"xaimri_cohort": str(VERSION)},
    )
