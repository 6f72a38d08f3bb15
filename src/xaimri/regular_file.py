"""The door to files that are read: regular ones alone, so that a pipe or a device is never waited for."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from xaimri.errors import InvalidInput, StorageFault, XaimriError

_NO_NAME = "has a name that no file can have"

_NO_FILE = "is no regular file"

_KINDS = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe, not a regular file",
    stat.S_IFSOCK: "is a socket, not a regular file",
    stat.S_IFCHR: "is a device, not a regular file",
    stat.S_IFBLK: "is a device, not a regular file",
}

_REASONS = {
    errno.ELOOP: "is a link that leads in a circle",
    errno.ENOTDIR: "leads through a file",
    errno.ENAMETOOLONG: "has too long a name",
}

SCHEMES = frozenset(
    {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory", "http", "https", "hdfs", "file"}
)
"""What an address begins with, also where it was made a path."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""What took a file's place meanwhile is not waited for either."""


@dataclass(frozen=True)
class Fault:
    """Why a path is none of a regular file.

    Attributes
    ----------
    kind
        What lies there: nothing, a folder, another thing that is no file; or it can't be told.
    words
        What follows the file's name in a sentence: "is a folder".
    error
        `InvalidInput` where the path is wrong, `StorageFault` where the system doesn't let it be read.
    """

    kind: Literal["nothing", "folder", "other", "untold"]
    words: str
    error: type[XaimriError] = InvalidInput


def quoted(text: object, most: int = 200) -> str:
    """Return a name in backticks, on one line and not too long."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return f"`{line}`" if len(line) <= most else f"`...{line[-most:]}`"


def path_of(given: object, what: str = "file") -> Path:
    r"""Return a path, or say that this can't be one.

    Raises
    ------
    InvalidInput
        If it is neither text nor a path, is an address such as ``s3://bucket/run``, of which the system would
        make folders, or holds what no name can hold, such as NUL.

    Examples
    --------
    >>> path_of("a\0b")
    Traceback (most recent call last):
        ...
    xaimri.errors.InvalidInput: `a\x00b` has a name that no file can have: give another one.
    """
    if not isinstance(given, str | os.PathLike):
        raise InvalidInput(f"a {type(given).__name__} is no path: give that of a {what}.")
    if not os.fsdecode(given):
        raise InvalidInput(f"an empty path leads nowhere: give that of a {what}.")
    path = Path(os.fsdecode(given))
    if is_address(given):
        raise InvalidInput(f"{quoted(given)} is an address: give the path of a {what} on this machine.")
    if not _is_name(path):
        raise InvalidInput(f"{quoted(path)} {_NO_NAME}: give another one.")
    return path


def is_address(given: str | os.PathLike[str]) -> bool:
    """Tell whether a text leads elsewhere than to a file here; a path has lost a stroke of it.

    Examples
    --------
    >>> is_address("s3://bucket/a"), is_address(Path("s3://bucket/a")), is_address("C:/a"), is_address("a:b")
    (True, True, False, False)
    """
    scheme, mark, _ = os.fsdecode(given).partition("://" if isinstance(given, str | bytes) else ":/")
    if not mark:
        return False
    return scheme in SCHEMES or (
        isinstance(given, str) and re.fullmatch(r"[A-Za-z][\w+.:-]+", scheme) is not None
    )


def fault_of(path: Path) -> Fault | None:
    """Return why this is no regular file; None where it is one. Nothing is opened."""
    if not _is_name(path):
        return Fault("untold", _NO_NAME)
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)  # noqa: PTH116 - as the system says it
    except FileNotFoundError:
        linked = path.is_symlink()
        return Fault("other", "is a link that leads nowhere") if linked else Fault("nothing", "is not there")
    except OSError as failure:
        return _fault(failure)
    if kind == stat.S_IFREG:
        return None
    return Fault("folder" if kind == stat.S_IFDIR else "other", _KINDS.get(kind, _NO_FILE))


def open_regular(path: Path, remedy: str) -> BufferedReader:
    """Open a regular file to read its bytes.

    Parameters
    ----------
    path
        Of the file; links are followed.
    remedy
        What to do where it can't be opened, in words that end the sentence.

    Raises
    ------
    InvalidInput
        If there is no such file, or it is a folder, a pipe, a device.
    StorageFault
        If the system doesn't let it be read.
    """
    fault = fault_of(path)
    if fault is None:
        try:
            handle = os.open(path, _FLAGS)
        except OSError as failure:
            fault = _fault(failure)
        else:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return os.fdopen(handle, "rb")
            os.close(handle)
            fault = Fault("other", _NO_FILE)
    raise fault.error(f"{quoted(path)} {fault.words}: {remedy}")


def sha256_of(path: Path, remedy: str) -> str:
    """Return the SHA-256 of a regular file's content; errors as of `open_regular`."""
    with open_regular(path, remedy) as stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as failure:
            fault = _fault(failure)
            raise fault.error(f"{quoted(path)} {fault.words}: {remedy}") from failure


def _is_name(path: Path) -> bool:
    """Tell whether the system can be asked for a file of this name."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeError:
        return False


def _fault(failure: OSError) -> Fault:
    """Say what the system says."""
    if failure.errno in _REASONS:
        return Fault("other" if failure.errno == errno.ELOOP else "untold", _REASONS[failure.errno])
    return Fault("untold", f"can't be read ({failure.strerror or failure})", StorageFault)
