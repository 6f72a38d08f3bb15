"""What a report knows of one case: a row of its table, and all that its panel shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np

from xaimri.arrays import Array
from xaimri.atlas import Atlas
from xaimri.caveats import link_of
from xaimri.cohort import Cohort
from xaimri.cohort.rows import Row, explanation_of
from xaimri.documents.document import seen
from xaimri.errors import InvalidInput, XaimriError
from xaimri.explanation import Explanation
from xaimri.render.panel import title_of
from xaimri.reporting.judged import Judged
from xaimri.reporting.layers import Planes, Size, image_layer, map_layer
from xaimri.reporting.similar import Similar
from xaimri.reporting.words import certainty, strongest


@dataclass(eq=False)
class Ground:
    """The mean of all images of one shape, each from its darkest to its brightest value."""

    count: int = 0
    total: Array = field(default_factory=lambda: np.zeros(()))

    def add(self, explanation: Explanation) -> None:
        """Add an image; of another shape than the first, it is passed over."""
        grey = explanation.image.mean(axis=-1, dtype=np.float64)
        low, high = float(grey.min()), float(grey.max())
        if not np.isfinite(high - low) or high <= low or (self.count and grey.shape != self.total.shape):
            return
        self.total = self.total + (grey - low) / (high - low)
        self.count += 1

    @property
    def mean(self) -> Array | None:
        """The mean; None where there is no image."""
        return self.total / self.count if self.count else None


@dataclass(frozen=True, eq=False)
class Reader:
    """Turns the rows of a cohort into entries; one case is in memory at a time."""

    cohort: Cohort
    similar: Similar
    size: Size
    atlas: Atlas | None = None
    judged: Judged | None = None
    ground: Ground = field(default_factory=Ground)

    def entries(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield for every case its row of the table, and what its panel shows."""
        for case, rows in groupby(self.cohort.rows(), key=lambda row: str(row["case"])):
            listed = list(rows)
            panel = self._panel(case, listed)
            yield _head(case, listed), panel

    def _panel(self, case: str, rows: Sequence[Row]) -> dict[str, Any]:
        told = next((row for row in rows if row["failure"] is None), rows[0])
        made, fault = self._explained(rows)
        first = next((one for one in made if one is not None), None)
        planes = None if first is None else Planes.of(first, self.size)
        picture = None
        if first is not None and planes is not None and fault is None:
            picture = image_layer(first, planes, self.size)
            self.ground.add(first)
        return {
            "case": case,
            "subject": told["subject"],
            "label": told["label"],
            "predicted": told["predicted"],
            "source": told["source"],
            "probabilities": None if told["probabilities"] is None else _rounded(told["probabilities"]),
            "planes": [] if planes is None else list(planes.facts),
            "picture": picture,
            "fault": fault,
            "methods": [self._method(row, one, planes) for row, one in zip(rows, made, strict=True)],
            "near": self.similar.facts(case, told["predicted"]),
        }

    def _explained(self, rows: Sequence[Row]) -> tuple[list[Explanation | None], str | None]:
        """Return the explanation of every row that has a map, and why the image can't be shown."""
        made: list[Explanation | None] = []
        image, fault = None, None
        asked = self.cohort.manifest
        for row in rows:
            try:
                shape = row["map_shape"] or (1,)
                unread = np.broadcast_to(np.zeros(1, np.float32), (*shape, 1))
                one = explanation_of(row, unread, asked.classes, asked.methods[row["method"]])
            except InvalidInput:  # it failed, or its map wasn't kept, which is said in its place
                made.append(None)
                continue
            if image is None and fault is None:
                try:
                    image = self.cohort.explained(row).image
                except XaimriError as error:
                    fault = str(error)
            made.append(one if image is None else replace(one, image=image))
        return made, fault

    def _method(self, row: Row, one: Explanation | None, planes: Planes | None) -> dict[str, Any]:
        """Return what is shown of one method."""
        record = self.cohort.manifest.methods[row["method"]]
        told: dict[str, Any] = {"title": title_of(record, row["method"]), "failure": row["failure"]}
        if row["failure"] is not None:
            return {**told, "stage": row["stage"]}
        caveats = [
            {"name": each["name"], "text": each["text"], "link": link_of(each["name"])}
            for each in {(c["name"], c["text"]): c for c in row["caveats"] or ()}.values()
        ]
        against = "" if row["against"] is None else f" against {row['against']}"
        told |= {"question": f"{row['target']}{against}", "of": str(row["of"]).replace("_", "-"),
                 "unit": row["unit"], "caveats": caveats, "layer": None, "words": []}  # fmt: skip
        value = "" if self.judged is None else self.judged.values.get((row["case"], row["method"]), "")
        measured = [value] if value else []
        if one is None or planes is None:
            return {**told, "words": ["This map was not kept with the cohort.", *measured]}
        told["layer"] = map_layer(one, planes, self.size)
        told["words"] = [*strongest(one, self.atlas), certainty(one), *measured]
        return told


def _head(case: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what the table shows of a case."""
    told = next((row for row in rows if row["failure"] is None), rows[0])
    names = dict.fromkeys(each["name"] for row in rows for each in row["caveats"] or ())
    failures = [row["failure"] for row in rows if row["failure"] is not None]
    probabilities = told["probabilities"]
    return {
        "case": case, "subject": told["subject"], "label": told["label"], "predicted": told["predicted"],
        "probability": None if probabilities is None else round(float(max(probabilities)), 4),
        "caveats": list(names), "failures": len(failures), "failure": failures[0] if failures else None,
    }  # fmt: skip


def as_json(value: object) -> str:
    r"""Return JSON that can stand in a page: no tag can begin in it, and what can't be seen is a code.

    Examples
    --------
    >>> as_json({"<script>": float("nan")})
    '{"\\u003cscript>":null}'
    """
    text = json.dumps(_plain(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: object) -> object:
    """Return a value of which what can't be seen, and what is no number, is taken out."""
    if isinstance(value, str):
        return seen(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, dict):
        return {seen(str(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(each), 4) for each in values]
