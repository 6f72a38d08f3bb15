"""The explanations of many images, and what could not be explained."""

from __future__ import annotations

import hashlib
import os
from collections.abc import ItemsView, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from xaimri import archive
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.failure import Failure
from xaimri.images.suffixes import stem_of
from xaimri.table import align, csv_text, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("name", "predicted", "target", "against", "probability", "caveats", "failure")
"""Of the table."""

LONGEST = 200
"""Bytes of the stem of a file's name; disks take 255 of the whole."""

PRINTED = 50
"""Rows that are printed, at most."""


class Explanations(Sequence[Explanation]):
    """A sequence of explanations that knows their names, and what failed; printing it gives a table.

    Parameters
    ----------
    explanations
        By the name of the image: its path relative to its folder, or its position.
    failures
        The images that could not be explained, by name.
    notes
        Sentences on where the images are from, such as what a loader changes by chance.

    Examples
    --------
    >>> found = Explanations({}, {"notes.png": Failure("notes.png", "read", "`notes.png` is no image.")})
    >>> found, found.failures["notes.png"].stage
    (<Explanations: 0 of 1 images; failures: 'notes.png'>, 'read')
    """

    @check_arguments()
    def __init__(
        self,
        explanations: Mapping[str, Explanation],
        failures: Mapping[str, Failure] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._named = dict(explanations)
        self._listed = tuple(self._named.values())
        self.failures: Mapping[str, Failure] = MappingProxyType(dict(failures or {}))
        self.notes = tuple(notes)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the images that are explained, in order."""
        return tuple(self._named)

    def items(self) -> ItemsView[str, Explanation]:
        """Return the pairs of name and explanation, in order."""
        return self._named.items()

    def __len__(self) -> int:
        return len(self._listed)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Explanation, ...]: ...
    def __getitem__(self, index: int | slice) -> Explanation | tuple[Explanation, ...]:
        return self._listed[index]

    @check_arguments()
    def of(self, name: str) -> Explanation:
        """Return the explanation of an image by its name.

        Raises
        ------
        InvalidInput
            If there is none; the sentence says why, where the image failed.
        """
        if name not in self._named:
            why = f": {self.failures[name]}" if name in self.failures else ", see `names`."
            raise InvalidInput(f"there is no explanation of {shown(name)}{why}")
        return self._named[name]

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self._listed)

    def __repr__(self) -> str:
        failed = f"; failures: {', '.join(map(repr, self.failures))}" if self.failures else ""
        return f"<Explanations: {len(self)} of {len(self) + len(self.failures)} images{failed}>"

    def __str__(self) -> str:
        rows = self.to_rows()
        columns = [name for name in COLUMNS if name != "against" or any(row[name] for row in rows)]
        lines = align(columns, [[word(row[column]) for column in columns] for row in rows[:PRINTED]])
        more = len(rows) - PRINTED
        told = [f"and {more} more: `.to_rows()` has them all."] if more > 0 else []
        return "\n".join([*lines, *told, *self.notes])

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanations, (self._named, dict(self.failures), self.notes)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the table as plain dictionaries, failures last: ``pandas.DataFrame(found.to_rows())``.

        ``predicted``, ``target`` and ``against`` are names of classes (``against`` is None where the target
        is explained by itself), ``probability`` is the target's, ``caveats`` are names. A failure has but
        ``name`` and ``failure``, its sentence; the rest of it is None.
        """
        found: dict[str, Explanation | Failure] = {**self._named, **self.failures}
        return [row_of(name, each) for name, each in found.items()]

    @check_arguments()
    def to_csv(self, path: str | Path) -> Path:
        """Write the table; words that a spreadsheet would take for a formula begin with an apostrophe."""
        return archive.write_text(path, csv_text(COLUMNS, self.to_rows()))

    def figure(self, **options: Any) -> Figure:
        """Return a figure with a panel for each; see :func:`xaimri.render.sheet`."""
        from xaimri import render

        return render.sheet(self._named, **options)

    @check_arguments()
    def save(self, folder: str | Path, *, style: str = "side_by_side", **options: Any) -> tuple[Path, ...]:
        """Draw each into a PNG file of a folder, called as the image; see :meth:`xaimri.Explanation.save`."""
        return tuple(
            each.save(Path(folder) / f"{stem}.png", style=style, **options)
            for stem, each in zip(file_stems(self.names), self, strict=True)
        )

    def _repr_html_(self) -> str:
        from xaimri import render

        return render.html_table(COLUMNS, self.to_rows(), self._named, self.notes)


def file_stems(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Return what the file of each image is called, no two alike: folders become part of it.

    What some systems take in no name becomes a stroke, and of a long name the end a digest.

    Examples
    --------
    >>> file_stems(["a.png", "a.jpg", "more/a.png"])
    ['a', 'a-2', 'more_a']
    >>> file_stems(["v2.0.1", "v2.0.2"])
    ['v2.0.1', 'v2.0.2']
    """
    found: dict[str, str] = {}
    for name in names:
        path = Path(name.replace("\0", ""))
        parts = (part for part in (*path.parts[:-1], stem_of(path.name)) if part not in ("/", "..", "."))
        plain = _short("".join(map(_allowed, "_".join(parts))), longest) or "image"
        stem, number = plain, 1
        while stem.lower() in found:  # some disks take A and a for one name
            number += 1
            stem = f"{plain}-{number}"
        found[stem.lower()] = stem
    return list(found.values())


def _allowed(character: str) -> str:
    """Return a character as a name may have it on any disk."""
    return "_" if character in '<>:"|?*\\' or not character.isprintable() else character


def _short(stem: str, longest: int) -> str:
    """Return a name of at most so many bytes, which is another for another one."""
    if len(os.fsencode(stem)) <= longest:
        return stem
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    kept = stem
    while len(os.fsencode(kept)) > longest - 9:
        kept = kept[:-1]
    return f"{kept}-{digest}"


def row_of(name: str, ending: Explanation | Failure) -> dict[str, Any]:
    """Return the row of one image, as of :meth:`Explanations.to_rows`."""
    if isinstance(ending, Failure):
        return {**dict.fromkeys(COLUMNS), "name": name, "failure": ending.sentence}
    return {"name": name, **_row(ending), "failure": None}


def _row(explanation: Explanation) -> dict[str, Any]:
    return {
        "predicted": explanation.classes[explanation.predicted],
        "target": explanation.target_class,
        "against": explanation.against_class,
        "probability": float(explanation.probabilities[explanation.target]),
        "caveats": ", ".join(caveat.name for caveat in explanation.caveats),
    }
