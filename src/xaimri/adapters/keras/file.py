"""Networks in files: what wrote them, whether they can be read, and the true reason where not."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import keras

from xaimri.adapters.keras.tensors import Network
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, MissingExtra, first_line
from xaimri.forked import check_process
from xaimri.regular_file import fault_of, open_regular, quoted

MAGIC = {b"PK\x03\x04": (".keras",), b"\x89HDF": (".h5", ".hdf5")}
"""How a file of either form begins, and how it is to be called."""

SUFFIXES = tuple(suffix for suffixes in MAGIC.values() for suffix in suffixes)

MOST_CONFIG = 64 * 2**20
"""Bytes that a network's configuration may have."""

GROUPED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D")
"""Layers for which Keras 2 wrote a number of groups, always 1, that Keras 3 does not know."""


@dataclass(frozen=True)
class Contents:
    """What a file of a network says of itself.

    Attributes
    ----------
    config
        How the network is built, as JSON; empty where the file holds weights only.
    keras
        The version of Keras that wrote it; empty where that isn't told.
    """

    config: str
    keras: str

    @property
    def legacy(self) -> bool:
        """Whether Keras 2 wrote it."""
        return self.keras.startswith("2.")

    @property
    def code(self) -> bool:
        """Whether a Lambda layer holds its function as compiled Python."""
        return bool(re.search(r'"__lambda__"|"function_type": *"lambda"', self.config))


@check_arguments()
def load_model(path: str | PathLike[str]) -> Network:
    """Read a saved network (``.keras`` or ``.h5``) in Keras' safe mode, without its training state.

    What Keras 2 wrote is read by Keras 3 where it can, else by ``tf_keras`` (extra ``legacy``).

    Raises
    ------
    InvalidInput
        If there is no such file, it is not whole, or Keras can't read it without custom code.
    MissingExtra
        If only ``tf_keras`` can read it, and that is not installed.
    """
    check_process()
    source = Path(path)
    contents = _contents(source)
    if not contents.config:
        raise InvalidInput(
            f"`{source}` holds weights only: build the network, call its `load_weights` with this file, and "
            "pass the network."
        )
    try:
        return keras.saving.load_model(
            source, custom_objects=_without_groups(contents), compile=False, safe_mode=True
        )
    except Exception as failure:
        if contents.legacy and not contents.code:  # which that package would run
            return _by_keras_2(source, contents)
        if "parent module keras_hub" in str(failure):
            raise MissingExtra(
                "keras-hub", "keras-hub", f"`{source}` holds a task of KerasHub, which"
            ) from None
        package = "tf_keras" if contents.legacy else "keras"
        raise InvalidInput(_why(source, contents, failure, package)) from failure


def _contents(source: Path) -> Contents:
    """Look into a file before Keras does, or say what is wrong with it."""
    fault = fault_of(source)
    if fault is not None and fault.kind in ("nothing", "untold"):
        raise InvalidInput(f"no saved network at {quoted(source)}, which {fault.words}: check the path.")
    if fault is not None or source.suffix not in SUFFIXES:
        raise InvalidInput(
            f"`{source}` is not a saved network: give a file that ends in .keras or .h5, or the folder of a "
            "SavedModel; a network of another framework is given as a function of the images."
        )
    with open_regular(source, "check the path.") as file:
        begin = file.read(4)
    if not begin:
        raise InvalidInput(f"`{source}` is empty: save the network again.")
    if begin not in MAGIC:
        raise InvalidInput(f"`{source}` is no network of Keras, whatever its name says: save it again.")
    if source.suffix not in MAGIC[begin]:
        right = MAGIC[begin][0]
        raise InvalidInput(f"`{source}` is a {right} file by its content: rename it to end in {right}.")
    try:
        return _of_archive(source) if begin == b"PK\x03\x04" else _of_hdf5(source)
    except Exception as failure:  # whatever broken bytes lead a reader to
        raise InvalidInput(
            f"`{source}` is damaged or cut off ({first_line(failure)}): copy or save it again."
        ) from failure


def _of_archive(source: Path) -> Contents:
    with zipfile.ZipFile(source) as archive:
        _check_sizes(archive, source.stat().st_size)
        names = archive.namelist()
        config = archive.read("config.json").decode() if "config.json" in names else ""
        told = archive.read("metadata.json").decode() if "metadata.json" in names else ""
    version = re.search(r'"keras_version": *"([^"]*)"', told)
    return Contents(config, version[1] if version else "")


def _check_sizes(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse what unfolds to far more than a network: weights hardly shrink by compression."""
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    words = max(sizes.get("config.json", 0), sizes.get("metadata.json", 0))
    if words > MOST_CONFIG or sum(sizes.values()) > MOST_CONFIG + 100 * size:
        raise ValueError(f"its {size:,} bytes unfold to {sum(sizes.values()):,}")


def _of_hdf5(source: Path) -> Contents:
    import h5py

    with h5py.File(source, "r") as file:
        config, version = (file.attrs.get(name, "") for name in ("model_config", "keras_version"))
    return Contents(*(word.decode() if isinstance(word, bytes) else str(word) for word in (config, version)))


def _without_groups(contents: Contents) -> dict[str, type] | None:
    """Return classes that read layers of Keras 2 without their number of groups."""
    return {name: _ungrouped(getattr(keras.layers, name)) for name in GROUPED} if contents.legacy else None


def _ungrouped(layer: type) -> type:
    """Return a class that stands for a layer while its configuration is read."""

    def from_config(config: dict[str, Any]) -> Any:
        known = {name: value for name, value in config.items() if (name, value) != ("groups", 1)}
        made: Any = layer.from_config(known)  # type: ignore[attr-defined]
        return made

    return type(layer.__name__, (), {"from_config": staticmethod(from_config)})


def _by_keras_2(source: Path, contents: Contents) -> Network:
    """Read a file that only Keras 2 can, by the package that it lives on in."""
    try:
        import tf_keras
    except ImportError as missing:
        purpose = f"`{source}` was written by Keras {contents.keras}, which Keras 3 can't read; that"
        raise MissingExtra("tf_keras", "legacy", purpose) from missing
    try:
        model: Network = tf_keras.models.load_model(source, compile=False, safe_mode=True)
    except Exception as failure:
        raise InvalidInput(_why(source, contents, failure, "tf_keras")) from failure
    return model


def _why(source: Path, contents: Contents, failure: Exception, package: str) -> str:
    """Return the sentence that tells why a whole file can't be read, and what works."""
    load = f"{package}.models.load_model"
    if contents.code:
        return (
            f"`{source}` holds a Lambda layer, which is Python code, and code from files is not run unasked: "
            f"if you trust it, load it yourself with {load}(path, compile=False, safe_mode=False), and pass "
            "the network."
        )
    foreign = next(_foreign(failure), None)
    if foreign is not None:
        return (
            f"`{source}` needs {foreign!r}, which is not Keras' own: load it yourself with {load}(path, "
            f"compile=False, custom_objects={{{foreign!r}: {foreign}}}), and pass the network."
        )
    return (
        f"`{source}` can't be read in Keras' safe mode ({_root(failure)}): load it yourself with {load} and "
        "its custom objects, and pass the network."
    )


def _foreign(failure: Exception) -> Iterator[str]:
    """Yield the names of classes and functions that Keras looked for in vain."""
    for line in str(failure).splitlines():
        yield from re.findall(r"(?:locate|Unknown) (?:class|function|layer|object)\W+'?(\w+)", line)


def _root(failure: Exception) -> str:
    """Return the innermost reason of an error of Keras, which repeats the whole configuration before it."""
    _, _, inner = str(failure).rpartition("Exception encountered: ")
    return first_line(ValueError(inner)) if inner else first_line(failure)
