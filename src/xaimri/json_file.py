"""Records as JSON files: written with a checksum, and read as they were written or not at all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from xaimri.errors import InvalidInput, StorageFault, first_line
from xaimri.regular_file import open_regular, quoted

CHECKSUM = "checksum"
"""Key of the SHA-256 of everything else, so that a changed byte is noticed."""

MOST_BYTES = 64 * 2**20
"""Size up to which a record is read; those of ours have some kilobytes."""


@dataclass(frozen=True)
class Field:
    """What one entry of a record must hold: in words that follow "must be", and as a test."""

    allowed: str
    test: Callable[[Any], bool]


Form: TypeAlias = Mapping[str, Field]
"""Every entry that a record has, by its name."""


def is_words(value: object) -> bool:
    """Tell whether this is a text."""
    return isinstance(value, str)


def is_names(value: object) -> bool:
    """Tell whether this is a list of at least one text."""
    return isinstance(value, list) and bool(value) and all(map(is_words, value))


def is_mapping(value: object) -> bool:
    """Tell whether this is a mapping; JSON's have names as keys."""
    return isinstance(value, dict)


def is_whole(value: object) -> bool:
    """Tell whether this is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether this is a finite number that float64 can hold."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < 1e300 and math.isfinite(value)


def or_none(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a test that lets null pass too."""
    return lambda value: value is None or test(value)


def text_of(record: Mapping[str, Any]) -> str:
    """Write a record down, with its checksum.

    Raises
    ------
    TypeError, ValueError
        If it is not made of JSON types; NaN is none.
    """
    plain = json.loads(json.dumps(record, allow_nan=False))
    return json.dumps({**plain, CHECKSUM: _checksum(plain)}, indent=1)


def read(path: Path, form: Form, remedy: str) -> dict[str, Any]:
    """Read a record that :func:`text_of` wrote, and see that it has this form.

    Parameters
    ----------
    path
        Of the file.
    form
        What each entry must hold.
    remedy
        What to do where it can't be read, in words that end the sentence.

    Raises
    ------
    InvalidInput
        If there is no such file, or it is not as it was written, or of another form.
    StorageFault
        If the system can't read it.
    """
    content = read_bytes(path, MOST_BYTES, remedy)
    try:
        record = json.loads(content.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        if not isinstance(record, dict):
            raise TypeError("it is no mapping")
        if record.pop(CHECKSUM, None) != _checksum(record):
            raise ValueError("it is not as it was written, by its checksum")
        _check(record, form)
    except (ValueError, TypeError, RecursionError) as damage:
        raise InvalidInput(f"{quoted(path)} is damaged ({first_line(damage)}): {remedy}") from damage
    return record


def read_bytes(path: Path, most: int, remedy: str) -> bytes:
    """Read a regular file of at most so many bytes; errors as of :func:`read`."""
    with open_regular(path, remedy) as stream:
        try:
            content = stream.read(most + 1)
        except OSError as failure:
            raise StorageFault(f"{quoted(path)} can't be read ({failure.strerror}): {remedy}") from failure
    if len(content or b"") > most:
        raise InvalidInput(
            f"{quoted(path)} has more than {most:,} bytes, which nothing of ours has: {remedy}"
        )
    return content or b""


def _check(record: Mapping[str, Any], form: Form) -> None:
    """See that every entry is there and holds what it must, and none else."""
    absent = [name for name in form if name not in record]
    foreign = [name for name in record if name not in form]
    if absent or foreign:
        raise ValueError(f"it has no `{absent[0]}`" if absent else f"{quoted(foreign[0], 40)} is unknown")
    for name, field in form.items():
        if not field.test(record[name]):
            raise ValueError(f"`{name}` must be {field.allowed}")


def _checksum(plain: object) -> str:
    """Return the SHA-256 of JSON types, however they are written."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(digits: str) -> float:
    """Return a number, if float64 can hold it."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is too large")
    return number
