"""The error tree: every error is one sentence with a remedy, and its class says what is at fault.

A wrong argument is `InvalidInput`, an image that can't be used `UnusableImage`, a model that can't do it
`MissingCapability`, a package that is not there `MissingExtra`, a disk `StorageFault`. Only what is an
image's own fault is collected where many are explained; everything else stops the call.

Each class also derives from the built-in error that a caller would expect, so ``except ValueError``
catches a bad argument whether or not the caller knows this module.
"""

import re


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
