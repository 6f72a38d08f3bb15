"""Reading image files: bytes become pixels, or one sentence says why not."""

from __future__ import annotations

import io
import math
from io import BufferedIOBase
from os import PathLike, fsdecode
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, XaimriError, first_line
from xaimri.images import analyze, decoders, dicom, enhanced, mgh, nifti, pairs, series
from xaimri.images.picture import Picture
from xaimri.images.slice_files import SliceStack
from xaimri.regular_file import fault_of, open_regular, quoted

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", *decoders.TIFF)
_NUMPY = b"\x93NUMPY"


def of_path(path: Path, rank: int) -> Picture | Array:
    """Decode a file, or a folder that holds a DICOM series; see `decoded`."""
    name = quoted(path)
    if series.is_series(path):
        return of_series(path, rank)
    try:
        if pair := pairs.pair_of(path):
            return _of_pair(*pair, rank)
        with open_regular(path, "check the path.") as stream:
            return decoded(stream, name, rank)
    except UnusableImage as fault:
        if told := pairs.lonely(path):
            raise UnusableImage(told) from fault
        raise
    except MissingExtra:
        raise
    except XaimriError as error:
        raise UnusableImage(_unopened(path, str(error))) from error


def _of_pair(header: Path, voxels: Path, rank: int) -> Picture:
    """Read a scan whose header and voxels are files of their own."""
    name, remedy = quoted(header), "check the path."
    try:
        with open_regular(header, remedy) as stream, open_regular(voxels, remedy) as held:
            if analyze.is_analyze(stream):
                return _volume(analyze.read(stream, held, name), name, rank)
            return _volume(nifti.read(stream, name, voxels=held), name, rank)
    except (XaimriError, ImportError):
        raise
    except Exception as error:  # whatever a broken file leads to
        raise UnusableImage(_why(error, f"{name}, or its .img,", b"")) from error


def of_stream(source: object, rank: int) -> Picture | Array:
    """Decode an open binary file, from its start where it can be wound back; see `decoded`."""
    name = getattr(source, "name", None)
    name, stream = quoted(name) if isinstance(name, str) else "the file", cast("BinaryIO", source)
    try:
        if stream.seekable():
            stream.seek(0)
        content = stream.read()
    except Exception as error:  # any object that has a method `read`
        raise UnusableImage(
            f"{name} cannot be read ({first_line(error, 120)}): open it again, or pass its path."
        ) from error
    if not isinstance(content, bytes | bytearray):
        raise UnusableImage(f'{name} is open as text: open it with `open(path, "rb")`, or pass its path.')
    return decoded(io.BytesIO(content), name, rank)


def decoded(stream: BufferedIOBase, name: str, rank: int) -> Picture | Array:
    """Decode a seekable stream by its content, whatever the file is called.

    Returns
    -------
    Picture or Array
        A picture of ``rank`` spatial axes and one of channels; an array of any shape from ``.npy``, which
        doesn't say what its axes are.
    """
    try:
        head = stream.read(132)
        stream.seek(0)
    except OSError as error:
        raise UnusableImage(f"{name} cannot be read ({first_line(error, 120)}): fetch it again.") from error
    if not head:
        raise UnusableImage(f"{name} is empty: fetch the file again.")
    try:
        if nifti.is_nifti(stream):
            return _volume(nifti.read(stream, name), name, rank)
        if mgh.is_mgh(stream):
            return _volume(mgh.read(stream, name), name, rank)
        if analyze.is_analyze(stream):
            raise UnusableImage(
                f"{name} is an Analyze header without its voxels: give its path, as a file whose name ends "
                "in .hdr, with the .img beside it."
            )
        if head.startswith(_NUMPY):
            with decoders.Quiet():
                return _npy(stream, name)
        if head[128:] == dicom.MARK:
            return _dicom(dicom.opened(stream, name), name, rank)
        return Picture(decoders.of_stream(stream, name, rank))
    except (UnusableImage, ImportError):
        raise
    except Exception as error:  # decoders raise whatever a broken file leads them to
        raise UnusableImage(_why(error, name, head)) from (None if head[128:] == dicom.MARK else error)


def of_nibabel(image: Any, rank: int) -> Picture:
    """Return the voxels of an image of nibabel, ``(*space, channels)``."""
    name = "the image of nibabel"
    try:
        decoders.bounded(math.prod(image.shape), name)
        return _volume(nifti.of_image(image, name), name, rank)
    except (UnusableImage, ImportError):
        raise
    except Exception as error:  # its file may be gone, or damaged
        raise UnusableImage(f"{name} can't be read ({first_line(error, 120)}): load it again.") from error


def of_dicom(dataset: Any, rank: int) -> Picture:
    """Return the pixels of a data set of pydicom, ``(*space, channels)``."""
    name = "the data set of pydicom"
    try:
        return _dicom(dataset, name, rank)
    except (UnusableImage, ImportError):
        raise
    except Exception as error:  # elements that are missing, or are no numbers; their values are not quoted
        raise UnusableImage(f"{name} can't be read ({type(error).__name__}): read its file again.") from None


def of_series(source: object, rank: int) -> Picture:
    """Return a folder or list of DICOM slices as one volume, ``(*space, 1)``."""
    return _volume(series.read_series(source), series.name_of(source), rank)


def _dicom(dataset: Any, name: str, rank: int) -> Picture:
    """Return the pixels of a data set of pydicom, whose frames may have places of their own."""
    with decoders.Quiet():
        if enhanced.is_enhanced(dataset):
            return enhanced.of_dataset(dataset, name, rank)
        return dicom.of_dataset(dataset, name, rank)


def is_scan(source: object) -> bool:
    """Tell whether this is an image of nibabel or a data set of pydicom."""
    return nifti.is_image(source) or dicom.is_dataset(source)


def holds_volume(source: object) -> bool:
    """Tell whether a source holds a scan, which is a volume whatever it is given to.

    That is a NIfTI, Analyze or MGH file or an image of nibabel, a DICOM series, a DICOM file of several
    frames, and a `SliceStack`; a file by its path, its bytes or open, where it can be wound back.
    """
    if nifti.is_image(source) or series.is_series(source) or isinstance(source, SliceStack):
        return True
    try:
        with decoders.Quiet():
            if dicom.is_dataset(source):
                return dicom.frames_of(source) > 1
            if isinstance(source, bytes | bytearray | memoryview):
                return _is_volume(io.BytesIO(source))
            if isinstance(source, str | PathLike):
                path = Path(fsdecode(source))
                if pairs.pair_of(path) is not None:
                    return True
                with open_regular(path, "check the path.") as stream:
                    return _is_volume(stream)
            return _is_open_volume(source)
    except Exception:  # who reads it says why
        return False


def _is_open_volume(source: Any) -> bool:
    """Tell it of an open file, and leave it where it was."""
    if isinstance(source, np.ndarray) or not hasattr(source, "read") or not source.seekable():
        return False
    place = source.tell()
    try:
        return _is_volume(source)
    finally:
        source.seek(place)


def scan_shape(path: Path) -> tuple[int, ...]:
    """Return the sides of a scan by its headers, in order of their size; nothing where it is no scan.

    However a scan is stored, its sides are the same in this order.
    """
    try:
        if path.is_dir():
            with decoders.Quiet():
                return series.sides(path)
        pair = pairs.pair_of(path)
        with open_regular(pair[0] if pair else path, "check the path.") as stream, decoders.Quiet():
            if mgh.is_mgh(stream):
                return mgh.sides(stream)
            if pair and analyze.is_analyze(stream):
                return analyze.sides(stream)
            return nifti.sides(stream) if nifti.is_nifti(stream) else dicom.sides(stream)
    except Exception:  # no scan, or a broken one: whoever reads it says so
        return ()


def _is_volume(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds a file of NIfTI or MGH, or a DICOM file of several frames."""
    return nifti.is_nifti(stream) or mgh.is_mgh(stream) or dicom.is_volume(stream)


def _volume(picture: Picture, name: str, rank: int) -> Picture:
    """Return a scan to a model of volumes."""
    if rank == 3:
        return picture
    sides = picture.pixels.shape[:-1]
    told = " x ".join(map(str, sides))
    raise UnusableImage(
        f'{name} is a volume of {told} voxels, and the model takes slices: give slices="brain" or '
        '"all", which explains each and stacks the maps, or cut one out, as by '
        f"`xaimri.images.read_image(scan, 3)[:, :, {sides[2] // 2}]`, and give the array."
    )


def of_pil(picture: PILImage, rank: int) -> Picture:
    """Return the pixels of a PIL image, ``(*space, channels)``."""
    try:
        with decoders.Quiet():
            return Picture(decoders.of_pil(picture, "the PIL image", rank))
    except UnusableImage:
        raise
    except Exception as error:  # it may be closed, or decoded only now
        raise UnusableImage(
            f"the PIL image cannot be decoded ({first_line(error, 120)}): open its file again."
        ) from error


def _unopened(path: Path, told: str) -> str:
    """Say what else to give than this path."""
    name, fault = quoted(path), fault_of(path)
    if fault is not None and fault.kind == "nothing":
        return f"there is no file {name}: check the path, relative ones start at {quoted(Path.cwd())}."
    if fault is not None and fault.kind == "folder":
        return f"{name} is a folder: pass one image of it, or the folder by itself to `xaimri.explain_all`."
    return told


def _why(error: Exception, name: str, head: bytes) -> str:
    """Say what is wrong with a file that a decoder refused."""
    kind = type(error).__name__
    if head[128:] == dicom.MARK:  # pydicom may quote what a file holds, such as a name
        return (
            f"{name} is damaged, cut short or of an unknown kind ({kind}): fetch it again, or pass an array."
        )
    if kind == "DecompressionBombError":
        return f"{name} unfolds to more pixels than Pillow's limit: make it smaller, or pass an array."
    if kind == "UnidentifiedImageError" and dicom.is_bare(head):
        return (
            f"{name} seems to be DICOM without the 132 bytes that a file of it begins with: write it as one, "
            "as by `dcmconv` of dcmtk, or pass an array."
        )
    if kind == "UnidentifiedImageError" and not head.startswith((*_STARTS, _NUMPY)):
        return (
            f"{name} is no image that can be read: give PNG, JPEG, TIFF, BMP, GIF, WebP, .npy, NIfTI, MGH or "
            "DICOM, or pass an array."
        )
    reason = (
        "its first bytes can't be made out" if kind == "UnidentifiedImageError" else first_line(error, 120)
    )
    return f"{name} is damaged, cut short or of an unknown kind ({reason}): fetch it again, or pass an array."


def _npy(stream: BufferedIOBase, name: str) -> Array:
    """Read a ``.npy`` file, after a look at its header."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    if dtype.kind not in "buif":
        raise UnusableImage(
            f"{name} must hold real numbers, and its type is {quoted(dtype)}: save it as float32."
        )
    size = math.prod(shape)
    decoders.bounded(size, name)
    start = stream.tell()
    if stream.seek(0, io.SEEK_END) - start < size * dtype.itemsize:
        raise EOFError("the file ends before its last value")
    stream.seek(0)
    pixels: Array = np.load(stream, allow_pickle=False)
    return pixels
