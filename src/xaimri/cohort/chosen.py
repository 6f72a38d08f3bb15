"""Rows of a cohort that are chosen, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast

from xaimri.arguments import check_arguments
from xaimri.cohort.columns import judged_columns, with_judged
from xaimri.cohort.image import image_of
from xaimri.cohort.judged import KEYS
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.rows import MAPS, Row, check_kept, explanation_of, rows_of
from xaimri.cohort.schema import COLUMNS, Precision, arrow, schema
from xaimri.cohort.store import Snapshot, Store
from xaimri.errors import InvalidInput, first_line, shown
from xaimri.explanation import Explanation
from xaimri.kinds import Anything
from xaimri.names import composed, known_name
from xaimri.sources import printable

LARGE = (
    "map", "cells", "cells_grid", "errors", "region_labels", "method_record", "method_arrays", "diagnostics",
    "scan",
)  # fmt: skip
LIGHT = tuple(name for name in COLUMNS if name not in LARGE)
"""Columns that are small."""


ChosenT = TypeVar("ChosenT", bound="Chosen")


@dataclass(frozen=True, eq=False, repr=False)
class Chosen:
    """Some rows of a cohort, or all.

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
    def notes(self) -> tuple[str, ...]:
        """What was told of the cases when the cohort was begun, such as which files of a folder are none."""
        return self.manifest.notes

    @property
    def done(self) -> int:
        """How many cases have their rows."""
        return sum(len(self.store.bounds(part)) for part in self.store.finished())

    def __len__(self) -> int:
        """How many rows there are."""
        return self.store.count_rows(self.where)

    @check_arguments()
    def table(self, columns: Sequence[str] | None = None) -> Any:
        """Return rows as a `pyarrow.Table`: ``table().to_pandas()``.

        Parameters
        ----------
        columns
            Names of columns; by default all but the large ones (map, cells, errors, region labels, arrays,
            diagnostics, grids), and what metrics say of the maps where these were judged: the value under the
            metric's name, and ``<metric>_failure``.

        Raises
        ------
        InvalidInput
            If there is no such column.
        """
        judged = judged_columns(self.store)
        known = [*COLUMNS, *judged]
        names = (
            [*LIGHT, *judged] if columns is None else [known_name(name, known, "column") for name in columns]
        )
        more = [name for name in names if name in judged]
        own = list(dict.fromkeys([*(name for name in names if name in COLUMNS), *(KEYS if more else ())]))
        table = self.store.table(own, self.where)
        return with_judged(table, self.store, more).select(names) if more else table

    @check_arguments(expression=Anything())
    def filter(
        self: ChosenT,
        expression: Any = None,
        *,
        method: str | None = None,
        label: str | None = None,
        subject: str | None = None,
        failed: bool | None = None,
    ) -> ChosenT:
        """Return the same cohort with some of its rows.

        Parameters
        ----------
        expression
            Of `pyarrow.dataset`, such as ``pyarrow.dataset.field("probability") > 0.9``, over the columns of
            the rows; those that metrics add are in `table` alone.
        method, label, subject
            The rows of this method, class or subject.
        failed
            True for rows with a failure, False for those without.

        Raises
        ------
        InvalidInput
            If there is no such method or column, or the expression tells not of each row whether it is meant.
        """
        field = _field()
        found = self.where
        for name, value in (("method", method), ("label", label), ("subject", subject)):
            if value is not None:
                if name == "method":
                    value = known_name(value, self.methods, "method of this cohort")
                found = _both(found, field(name) == (composed(value) if name == "subject" else value))
        if failed is not None:
            missing = field("failure").is_null()
            found = _both(found, ~missing if failed else missing)
        if expression is None:
            return replace(self, where=found)
        if not isinstance(expression, expression_type()):
            raise InvalidInput(
                "`expression` must be one of Arrow, such as pyarrow.dataset.field('probability') > 0.9, got "
                f"{shown(expression)}."
            )
        _check_truth(expression, self.manifest.precision)
        return replace(self, where=_both(found, expression))

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
        return self.explained(self._row(case, method), image=image)

    def explanations(self) -> Iterator[tuple[str, Explanation]]:
        """Yield case and explanation of every row that has a map; one at a time is in memory."""
        for row in self.mapped().rows():
            yield row["case"], self.explained(row)

    def still(self: ChosenT) -> ChosenT:
        """Return the same rows as they are now: what a run writes meanwhile is not among them."""
        if isinstance(self.store, Snapshot):
            return self
        return replace(self, store=Snapshot(self.store.place, self.store.manifest))

    def mapped(self: ChosenT) -> ChosenT:
        """Return the same cohort with the rows that hold a map, or its cells or regions."""
        field = _field()
        return self.filter(reduce(or_, (field(name).is_valid() for name in MAPS)))

    def rows(self, columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[Row]:
        """Yield the rows in order; a map is an array, and few are in memory at once."""
        yield from rows_of(self.store.batches(columns, self.where))

    def explained(self, row: Row, *, image: object = None) -> Explanation:
        """Return the explanation of a row, whose image is read anew where it isn't given."""
        check_kept(row)
        method = row["method"]
        record, arrays = self.manifest.methods[method], self.store.arrays_of(method)
        return explanation_of(row, image_of(row, self.manifest, image), self.manifest.classes, record, arrays)

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
        chosen = _both(self.where, (field("case") == printable(composed(case))) & (field("method") == name))
        rows = self.store.table(list(COLUMNS), chosen).to_pylist()
        if not rows:
            left = "" if self.done == self.manifest.count else ", or it is not done yet"
            raise InvalidInput(f"there is no case {shown(case)} by {name} here{left}: see `table()`.")
        return cast(Row, rows[0])


def _field() -> Any:
    arrow()
    from pyarrow import dataset

    return dataset.field


def expression_type() -> type:
    """Return the type of Arrow's expressions."""
    arrow()
    from pyarrow import dataset

    found: type = dataset.Expression
    return found


def _check_truth(expression: Any, precision: Precision) -> None:
    """See that an expression is of the rows' columns, and true or false: Arrow counts all else, too."""
    import pyarrow
    from pyarrow import dataset

    rows = dataset.dataset(schema(precision).empty_table())
    try:
        kind = rows.scanner(columns={"truth": expression}).to_table().schema.field("truth").type
    except (pyarrow.ArrowException, TypeError) as fault:
        raise InvalidInput(
            f"`expression` can't be asked of the rows ({first_line(fault).rstrip('.')}): their columns are "
            "those of `table()`, without what metrics say."
        ) from fault
    if not pyarrow.types.is_boolean(kind):
        raise InvalidInput(
            f"`expression` must be true or false of each row, and is a {kind}: compare it, such as "
            "pyarrow.dataset.field('probability') > 0.9."
        )


def _both(one: Any, other: Any) -> Any:
    return other if one is None else one & other
