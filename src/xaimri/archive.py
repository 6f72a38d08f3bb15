"""Files written whole or not at all: text, and a folder that holds one JSON record and named arrays."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput

_RECORD, _ARRAYS = "record.json", "arrays.npz"


def write(folder: str | Path, record: Mapping[str, Any], arrays: Mapping[str, Array]) -> Path:
    """Write a record and its arrays into a new folder; a failure leaves nothing behind.

    Raises
    ------
    InvalidInput
        If the folder is there already.
    """
    target = Path(folder)
    if target.exists():
        raise InvalidInput(f"`{target}` is there already: store into a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        (partial / _RECORD).write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")
        with zipfile.ZipFile(partial / _ARRAYS, "w") as packed:
            for name, array in arrays.items():
                with packed.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
        partial.chmod(0o755)
        partial.replace(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return target


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file in place of what is there; a failure leaves that as it was.

    Raises
    ------
    InvalidInput
        If it can't be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as partial:
            written = Path(partial) / target.name
            written.write_text(text, encoding="utf-8", newline="")
            written.replace(target)
    except OSError as failure:
        raise InvalidInput(
            f"`{target}` can't be written ({failure.strerror}): give another place."
        ) from failure
    return target


def read(folder: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read what :func:`write` wrote; arrays come back bit for bit.

    Raises
    ------
    InvalidInput
        If the folder is missing, or does not hold a whole record.
    """
    source = Path(folder)
    try:
        record = json.loads((source / _RECORD).read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise TypeError("its record is no mapping")
        with (source / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
    except FileNotFoundError as missing:
        raise InvalidInput(
            f"`{source}` holds no stored explanation (no `{Path(str(missing.filename)).name}`): "
            "give the folder that `Explanation.store` wrote."
        ) from None
    except Exception as damage:
        raise InvalidInput(f"`{source}` is damaged ({damage}): store the explanation again.") from damage
    return record, arrays
