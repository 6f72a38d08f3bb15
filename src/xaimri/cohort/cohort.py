"""A cohort that was explained: its rows, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Image
from xaimri.cohort.class_means import ClassColumn, ClassMean, class_means
from xaimri.cohort.export import ExportForm, rows_of, write_export
from xaimri.cohort.manifest import FILE, Manifest
from xaimri.cohort.place import place_of
from xaimri.cohort.rows import Row, explanation_of
from xaimri.cohort.schema import COLUMNS, arrow
from xaimri.cohort.store import Store
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.images.read import Layout, read_picture
from xaimri.kinds import Anything
from xaimri.names import known_name
from xaimri.rules import Choice

LIGHT = tuple(
    name for name in COLUMNS if name not in ("map", "errors", "region_labels", "diagnostics", "scan")
)
"""Columns that are small."""


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """The rows of a cohort, one for each case and method; `xaimri.cohort.open` returns one.

    Attributes
    ----------
    store
        Where the rows are.
    where
        What rows are chosen, as an expression of Arrow; None for all.
    """

    store: Store
    where: Any = None

    @property
    def manifest(self) -> Manifest:
        """What was asked of which model and cases."""
        return self.store.manifest

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, as the rows have them."""
        return tuple(self.manifest.methods)

    @property
    def done(self) -> int:
        """How many cases have their rows."""
        return sum(len(self.store.bounds(part)) for part in self.store.finished())

    def __repr__(self) -> str:
        count, done = self.manifest.count, self.done
        state = "finished" if done == count else f"{done:,} done"
        chosen = "" if self.where is None else ", filtered"
        return f"<Cohort: {count:,} cases by {' and '.join(self.methods)}, {state}{chosen}>"

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._dataset().count_rows(filter=self.where)) if self.done else 0

    @check_arguments()
    def table(self, columns: Sequence[str] | None = None) -> Any:
        """Return rows as a `pyarrow.Table`: ``table().to_pandas()``.

        Parameters
        ----------
        columns
            Names of columns; by default all but the large ones (map, errors, region labels, diagnostics, the
            scan's grid).

        Raises
        ------
        InvalidInput
            If there is no such column.
        """
        names = LIGHT if columns is None else [known_name(name, COLUMNS, "column") for name in columns]
        if not self.done:
            from xaimri.cohort.schema import schema

            return schema(self.manifest.precision).empty_table().select(list(names))
        return self._dataset().to_table(columns=list(names), filter=self.where)

    @check_arguments(expression=Anything())
    def filter(
        self,
        expression: Any = None,
        *,
        method: str | None = None,
        label: str | None = None,
        subject: str | None = None,
        failed: bool | None = None,
    ) -> Cohort:
        """Return the same cohort with some of its rows.

        Parameters
        ----------
        expression
            Of `pyarrow.dataset`, such as ``pyarrow.dataset.field("probability") > 0.9``.
        method, label, subject
            The rows of this method, class or subject.
        failed
            True for rows with a failure, False for those without.
        """
        field = _field()
        found = self.where
        for name, value in (("method", method), ("label", label), ("subject", subject)):
            if value is not None:
                if name == "method":
                    value = known_name(value, self.methods, "method of this cohort")
                found = _both(found, field(name) == value)
        if failed is not None:
            missing = field("failure").is_null()
            found = _both(found, ~missing if failed else missing)
        return replace(self, where=found if expression is None else _both(found, expression))

    @check_arguments(image=Anything())
    def explanation(self, case: str, method: str | None = None, *, image: object = None) -> Explanation:
        """Return the explanation of a case as `xaimri.explain` made it.

        Its map is that of the row; its image is read anew, and must be the one that was explained.

        Parameters
        ----------
        case, method
            Of the row; the method can be left out where there is but one.
        image
            The image, where it isn't at the row's ``source`` any more, or was in memory.

        Raises
        ------
        InvalidInput
            If there is no such row, the case failed, its map wasn't kept, or the image is another one.
        """
        row = self._row(case, method)
        if row["failure"] is not None or row["map"] is None:
            explanation_of(row, np.zeros((1, 1)), self.manifest.classes, {})  # says which
        name = row["method"]
        return explanation_of(
            row, self._image(row, image), self.manifest.classes, self.manifest.methods[name]
        )

    def explanations(self) -> Iterator[tuple[str, Explanation]]:
        """Yield case and explanation of every row that has a map; one at a time is in memory."""
        for row in self.filter(_field()("map").is_valid()).rows():
            yield row["case"], self.explained(row)

    def rows(self, columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[Row]:
        """Yield the rows in order; a map is an array, and few are in memory at once."""
        if self.done:
            yield from rows_of(
                self._dataset().to_batches(columns=list(columns), filter=self.where, batch_size=8)
            )

    def explained(self, row: Row) -> Explanation:
        """Return the explanation of a row, whose image is read anew."""
        if row["failure"] is not None or row["map"] is None:
            explanation_of(row, np.zeros((1, 1)), self.manifest.classes, {})  # says which
        method = self.manifest.methods[row["method"]]
        return explanation_of(row, self._image(row, None), self.manifest.classes, method)

    @check_arguments(by=Choice(get_args(ClassColumn)))
    def class_means(
        self, method: str | None = None, by: ClassColumn = "label", *, independent: bool = False
    ) -> tuple[ClassMean, ...]:
        """Return the mean map of each class with its standard error over subjects.

        A subject's cases count once in a class, by their mean. Few maps are in memory at once.

        Parameters
        ----------
        method
            Can be left out where there is but one.
        by
            Whose maps make a class: by the cases' own labels, the predicted or the explained class. By label
            or prediction maps of several targets may be averaged; ``targets`` of each mean counts them.
        independent
            True states that each case without a subject is of a person of its own.

        Returns
        -------
        tuple of ClassMean
            By name.

        Raises
        ------
        InvalidInput
            If the maps lie on different grids or weren't kept, or labels or subjects are not known.
        """
        name = self._method(method)
        kept = self.filter(_field()("map").is_valid(), method=name)
        return class_means(kept, by, independent)

    @check_arguments(form=Choice(get_args(ExportForm)))
    def export(self, folder: str | Path, form: ExportForm = "csv") -> Path:
        """Write the rows into a new folder, whole or not at all; one map at a time is in memory.

        Parameters
        ----------
        folder
            Not there yet, or empty.
        form
            ``"csv"``: ``cohort.csv`` of all rows, where words that a spreadsheet would take for a formula
            begin with an apostrophe. ``"nii.gz"``: each map on its scan's own grid, as of
            :meth:`xaimri.Explanation.to_nifti`. ``"png"``: a figure of each; its image is read anew.
            Rows whose map can't be written are told in ``failures.csv``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InvalidInput
            If the folder holds something, or no map can be written.
        StorageFault
            If the system can't write.
        """
        return write_export(self, folder, form)

    def _dataset(self) -> Any:
        return self.store.dataset()

    def _method(self, given: str | None) -> str:
        """Return the method that is meant."""
        if given is not None:
            return known_name(given, self.methods, "method of this cohort")
        if len(self.methods) > 1:
            raise InvalidInput(
                f"which of the methods is asked for? Give `method`: {', '.join(self.methods)}."
            )
        return self.methods[0]

    def _row(self, case: str, method: str | None) -> Row:
        """Return one row."""
        name = self._method(method)
        field = _field()
        chosen = _both(self.where, (field("case") == case) & (field("method") == name))
        rows = self._dataset().to_table(filter=chosen).to_pylist() if self.done else []
        if not rows:
            left = "" if self.done == self.manifest.count else ", or it is not done yet"
            raise InvalidInput(f"there is no case {shown(case)} by {name} here{left}: see `table()`.")
        return cast(Row, rows[0])

    def _image(self, row: Row, given: object) -> Image:
        """Read the image of a row, and see that it is the one that was explained."""
        from xaimri.cohort.sameness import image_sha256

        source: object = row["source"] if given is None else given
        if source is None:
            raise InvalidInput(f"the image of `{row['case']}` was in memory: give it as `image=`.")
        asked = self.manifest
        layout = cast("Layout | None", asked.layout)
        path = Path(source) if isinstance(source, str | PathLike) else None
        picture = read_picture(source, len(row["map_shape"]), asked.channels, layout=layout)
        own = image_sha256(path, None) if path is not None else image_sha256(None, picture)
        if own != row["image_sha256"] and image_sha256(None, picture) != row["image_sha256"]:
            raise InvalidInput(
                f"the image of `{row['case']}` is another one than was explained: give that one as `image=`."
            )
        return picture.pixels


@check_arguments(folder=Anything())
def open_cohort(folder: str | PathLike[str]) -> Cohort:
    """Open a cohort that was explained, or is at work; its rows are read when they are asked for.

    Parameters
    ----------
    folder
        As of ``out=`` in :func:`xaimri.explain_cohort`.

    Raises
    ------
    InvalidInput
        If no cohort is there, or it is of another version.
    """
    arrow()
    place = place_of(folder)
    manifest = Manifest.read(place)
    if manifest is None:
        raise InvalidInput(
            f"{place.name} holds no cohort (no {FILE}): give the folder that one was written to."
        )
    return Cohort(Store(place, manifest))


def _field() -> Any:
    arrow()
    from pyarrow import dataset

    return dataset.field


def _both(one: Any, other: Any) -> Any:
    return other if one is None else one & other
