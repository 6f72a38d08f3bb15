"""OpenCV, as far as it decodes picture files: the numbers as they are stored, red before green and blue.

None of its settings is changed for longer than a call, and nothing that it does in several threads is
called, so that a process may fork after it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from types import ModuleType

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import first_line
from xaimri.images.headers import Header


def cv2() -> ModuleType:
    """Load OpenCV.

    Raises
    ------
    ImportError
        If it can't be loaded, as where `opencv-python` lacks the system's libraries for windows.
    """
    try:
        import cv2
    except ImportError as failure:
        raise ImportError(
            f"OpenCV can't be loaded ({first_line(failure)}): run `pip install --force-reinstall --no-deps "
            "opencv-python-headless`."
        ) from failure
    module: ModuleType = cv2
    return module


def frame(content: bytes, header: Header) -> Array | None:
    """Decode the frame of a file, ``(height, width, channels)``; None where OpenCV refuses it.

    No orientation is applied.
    """
    library = cv2()
    flags = library.IMREAD_UNCHANGED
    reorder = header.kind == "TIFF" and header.bits == 16  # which `IMREAD_COLOR_RGB` mixes up, to OpenCV 5.0
    if header.channels == 3 and not reorder:
        flags = library.IMREAD_COLOR_RGB | library.IMREAD_ANYDEPTH | library.IMREAD_IGNORE_ORIENTATION
    try:
        with _Unlogged() if header.kind == "TIFF" else nullcontext():  # it tells of each private tag
            found: Array | None = library.imdecode(np.frombuffer(content, np.uint8), flags)
    except library.error:  # beyond limits of its own
        return None
    if found is None:
        return None
    pixels = found[..., None] if found.ndim == 2 else found
    pixels = pixels[..., 2::-1] if reorder and header.channels == 3 else pixels[..., : header.channels]
    asked = (header.height, header.width, header.channels), np.dtype(f"u{header.bits // 8}")
    return pixels if (pixels.shape, pixels.dtype) == asked else None


def pages(content: bytes) -> Sequence[Array]:
    """Decode every frame of a file as OpenCV has it, colour with its red first; none where it refuses."""
    library = cv2()
    try:
        with _Unlogged():
            _, found = library.imdecodemulti(np.frombuffer(content, np.uint8), library.IMREAD_UNCHANGED)
    except library.error:
        return ()
    return [page[..., 2::-1] if page.ndim == 3 else page[..., None] for page in found]


class _Unlogged:
    """Keep OpenCV's log from the caller's terminal; threads share one suppression."""

    _lock = threading.Lock()
    _depth = 0
    _level = 0

    def __enter__(self) -> None:
        log = _log()
        with _Unlogged._lock:
            if _Unlogged._depth == 0:
                _Unlogged._level = log.getLogLevel()
                log.setLogLevel(0)
            _Unlogged._depth += 1

    def __exit__(self, *error: object) -> None:
        with _Unlogged._lock:
            _Unlogged._depth -= 1
            if _Unlogged._depth == 0:
                _log().setLogLevel(_Unlogged._level)


def _log() -> ModuleType:
    """Return where OpenCV's log is set: at its top until version 5."""
    library = cv2()
    found: ModuleType = getattr(library.utils, "logging", library)
    return found
