"""The error tree: every error is one sentence with a remedy, and its class says what is at fault.

A wrong argument is `InvalidInput`, an image that can't be used `UnusableImage`, a model that can't do it
`MissingCapability`, a package that is not there `MissingExtra`, a disk `StorageFault`. Only what is an
image's own fault is collected where many are explained; everything else stops the call.

Each class also derives from the built-in error that a caller would expect, so ``except ValueError``
catches a bad argument whether or not the caller knows this module.
"""

import re
from pathlib import PurePath
from types import FunctionType, MethodType


class XaimriError(Exception):
    """Base of every error that xaimri raises on purpose."""


class InvalidInput(XaimriError, ValueError):  # noqa: N818
    """A value that cannot be used, with what would be accepted."""


class UnusableImage(InvalidInput):
    """An image that cannot be read or explained: its own fault, so that others beside it go on."""


class StorageFault(XaimriError, OSError):  # noqa: N818
    """A place that cannot be written or read, with what the system says of it."""


class MissingCapability(XaimriError, TypeError):  # noqa: N818
    """A model that cannot do what the method needs, with a way out."""


class Cancelled(XaimriError):  # noqa: N818
    """A run that the caller's own ``progress`` function stopped."""


class MissingExtra(XaimriError, ImportError):  # noqa: N818
    """An optional dependency that is not installed, with the pip command that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package `{package}`, which is not installed: "
            f'run `pip install "xaimri[{extra}]"`.'
        )
        self.package = package
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.package, self.extra, self.purpose)


PREFACES = ("Exception encountered", "Graph execution error", "Detected at node", "<stack traces")
"""How lines begin that come before what an error of TensorFlow says."""


def first_line(failure: BaseException, most: int = 200) -> str:
    """Return the first line of another package's error, without its full stop, for a sentence of ours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(failure))
    lines = [" ".join(line.split()).rstrip(".") for line in plain.splitlines()]
    told = [line for line in lines if line and not line.startswith(PREFACES)]
    if not told:
        return type(failure).__name__
    line = "".join(c if c.isprintable() else "?" for c in told[0])
    return line if len(line) <= most else f"{line[:most]}..."


def shown(value: object, most: int = 60) -> str:
    """Return what a caller gave as a sentence quotes it: short values as they are, others by their kind.

    Examples
    --------
    >>> shown("ab"), shown(2.5), shown([1, None]), shown({"a": [1]}), shown("x" * 500, 10)
    ("'ab'", '2.5', '[1, None]', 'a dict of 1', "'xxxxxxxxxx...'")
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        plain = getattr(value, "item", None) if shape == () else None
        words = f"an array of {dtype} of shape {shape}"
        return words[:most] if plain is None or isinstance(plain(), type(value)) else shown(plain(), most)
    if isinstance(value, str):
        return repr(str(value)) if len(value) <= most else f"{str(value)[:most]!r}"[:-1] + "...'"
    if value is None or isinstance(value, bool | int | float | complex | bytes | PurePath):
        return _short(value, most)
    if isinstance(value, list | tuple) and all(isinstance(one, _PLAIN) for one in value[:10]):
        words = _short(value, most)
        return words if not words.endswith("...") else _kind(value)
    return _kind(value)


_PLAIN = (str, int, float, type(None))


def _short(value: object, most: int) -> str:
    """Return how a value is written, or how it begins; a number of thousands of digits can't be written."""
    try:
        words = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return words if len(words) <= most else f"{words[:most]}..."


def _kind(value: object) -> str:
    """Return what kind of value it is, and how many a collection holds."""
    kind = "function" if isinstance(value, FunctionType | MethodType) else type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    count = f" of {len(value)}" if isinstance(value, list | tuple | dict | set | frozenset) else ""
    return f"{article} {kind}{count}"
