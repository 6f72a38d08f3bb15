"""Whatever is passed as an image is explained, or refused in one sentence.

The default takes seconds. The long run, of at least 20,000 inputs, prints how many it made:

    XAIMRI_EXAMPLES=20000 pytest -s tests/images/test_fuzz.py
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import xaimri
from xaimri.errors import XaimriError
from xaimri.images import decoders, read_image

pytestmark = pytest.mark.fuzz

EXAMPLES = int(os.environ.get("XAIMRI_EXAMPLES", "300"))
COUNT: Counter[str] = Counter()
PIXELS = 200_000
"""Limit of a file in these tests: a flipped byte of a header can ask for millions."""


def share(part):
    """Settings of a test that makes a part of all inputs; the deadline notices hangs."""
    return settings(
        max_examples=round(EXAMPLES * part),
        deadline=timedelta(minutes=1),
        derandomize="XAIMRI_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module", autouse=True)
def limits():
    """Lower the limit, load what is loaded on first use, and tell the count at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoders, "MOST_PIXELS", PIXELS)
        for method in METHODS:
            xaimri.explain(model((4, 4, 1)), np.eye(4), method, **METHODS[method])
        read_image(tiff_file(np.zeros((2, 2, 3))))
        yield
    print(f"\n{COUNT.total()} inputs: {dict(COUNT)}")


@pytest.fixture(autouse=True)
def _all_are_made(request):
    """Every test explains or refuses as many inputs as it was asked to make."""
    before = COUNT.total()
    yield
    asked = request.function._hypothesis_internal_use_settings.max_examples
    assert COUNT.total() - before >= asked


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


METHODS = {"gradcam": {}, "lime": {"samples": 8, "regions": 5}}
MODELS: dict[object, object] = {}


def model(shape):
    if shape not in MODELS:
        MODELS[shape] = xaimri.LinearClassifier.random(shape, classes=3, seed=len(shape))
    return MODELS[shape]


def tiff_file(pixels):
    stream = io.BytesIO()
    colour = pixels.ndim > 2 and pixels.shape[-1] in (3, 4)
    tifffile.imwrite(stream, pixels, photometric="rgb" if colour else "minisblack", metadata=None)
    return stream.getvalue()


def npy_file(pixels):
    stream = io.BytesIO()
    np.save(stream, pixels)
    return stream.getvalue()


def pillow_file(kind):
    def write(frames):
        pictures = [Pillow.fromarray(frame) for frame in frames]
        stream = io.BytesIO()
        several = {"save_all": True, "append_images": pictures[1:]} if len(frames) > 1 else {}
        pictures[0].save(stream, kind.split()[0], **several, **OPTIONS.get(kind, {}))
        return stream.getvalue()

    return write


OPTIONS = {
    "TIFF lzw": {"compression": "tiff_lzw"},
    "TIFF jpeg": {"compression": "jpeg"},
    "WEBP lossless": {"lossless": True},
    "JPEG progressive": {"progressive": True},
}
PLAIN = (
    "PNG",
    "BMP",
    "GIF",
    "JPEG",
    "JPEG progressive",
    "TIFF",
    "TIFF lzw",
    "TIFF jpeg",
    "WEBP",
    "WEBP lossless",
)
FRAMED = ("GIF", "TIFF", "TIFF lzw", "WEBP", "PNG")
SUFFIXES = (".png", ".jpg", ".npy", ".tif", ".gif", ".txt", "", ".PNG")
MODES = (
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "PA",
    "RGBX",
    "RGBa",
    "La",
    "I;16",
    "I;16B",
    "I;16L",
)
TYPES = ("?", "u1", "i1", "u2", "i2", ">u2", "i4", "u4", "i8", "u8", "f2", "f4", ">f4", "f8", "c8")


@st.composite
def shapes(draw, ranks=(2, 2, 3)):
    """Shapes of a model's input; the model is made in the test, where calls are checked at random."""
    rank = draw(st.sampled_from(ranks))
    side = st.integers(1, 12 if rank == 2 else 6)
    return (*(draw(side) for _ in range(rank)), draw(st.sampled_from((1, 1, 3, 3, 2, 4))))


@st.composite
def arrays(draw, rank, fitting=1):
    """Arrays of mostly fitting shapes, of any numbers and order in memory."""
    side = st.integers(1, 64 if rank == 2 else 12)
    space = [draw(side) for _ in range(rank)]
    channels = draw(st.sampled_from((fitting, fitting, 1, 3, 4, draw(st.integers(2, 5)))))
    shape = draw(
        st.sampled_from(
            [space, space, [*space, channels], [*space, channels], [channels, *space], [1, *space, channels]]
        )
    )
    if draw(st.integers(0, 19)) == 0:
        shape = draw(st.lists(st.integers(0, 5), max_size=5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = np.dtype(draw(st.sampled_from(TYPES)))
    size = draw(st.sampled_from((0.0, 1e-40, 1.0, 255.0, 4000.0, 65535.0, 1e9, 9e14, 1e20, 1e300)))
    offset = draw(st.sampled_from((0.0, 0.0, -0.5, 1.0)))
    with np.errstate(all="ignore"):
        values = np.array((generator.random(shape) + offset) * size)
        if kind.kind in "iu":
            values = np.clip(values, np.iinfo(kind).min, float(np.iinfo(kind).max) * (1 - 1e-9))
        array = np.asarray(values.astype(kind))
    if kind.kind == "f" and array.size and draw(st.integers(0, 9)) == 0:
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from((np.nan, np.inf, -np.inf)))
    order = draw(st.sampled_from(("C", "F", "reversed", "strided", "read-only")))
    if order == "F":
        array = np.asfortranarray(array)
    elif order == "reversed" and array.ndim:
        array = array[::-1]
    elif order == "strided" and array.ndim:
        array = np.repeat(array, 2, axis=0)[::2]
    elif order == "read-only":
        array.flags.writeable = False
    return array


@st.composite
def frames(draw):
    """Frames that Pillow can write."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from(((height, width), (height, width, 3))))
    top = draw(st.sampled_from((1, 3, 256)))
    count = draw(st.sampled_from((1, 1, 3)))
    return [generator.integers(0, top, shape).astype(np.uint8) for _ in range(count)]


@st.composite
def files(draw):
    """The bytes of a file, whole or damaged."""
    form = draw(st.sampled_from(("pillow", "pillow", "pillow", "tiff", "npy")))
    if form == "pillow":
        several = draw(frames())
        content = pillow_file(draw(st.sampled_from(FRAMED if len(several) > 1 else PLAIN)))(several)
    else:
        array = draw(arrays(draw(st.sampled_from((2, 3)))))
        fits = form == "npy" or (array.ndim in (2, 3) and array.size and array.dtype.kind != "c")
        content = npy_file(array) if form == "npy" else tiff_file(array if fits else np.zeros((3, 4)))
    return damaged(draw, content)


def damaged(draw, content):
    damage = draw(st.sampled_from(("none", "none", "cut", "flip", "flip", "junk behind", "cut out")))
    position = st.integers(0, len(content) - 1)
    near_start = st.integers(0, min(200, len(content) - 1))
    if damage == "cut":
        return content[: draw(position)]
    if damage == "cut out":
        first, last = sorted((draw(position), draw(position)))
        return content[:first] + content[last:]
    if damage == "junk behind":
        return content + draw(st.binary(max_size=20))
    if damage == "flip":
        changed = bytearray(content)
        for place in draw(st.lists(st.one_of(position, near_start), min_size=1, max_size=6)):
            changed[place] = draw(st.integers(0, 255))
        return bytes(changed)
    return content


@st.composite
def pil_images(draw):
    size = draw(st.integers(0, 40)), draw(st.integers(1, 40))
    mode = draw(st.sampled_from(MODES))
    picture = Pillow.new(mode, size)
    if mode in ("L", "RGB", "I", "F") and draw(st.booleans()):
        generator = np.random.default_rng(draw(st.integers(0, 99)))
        shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
        kind = {"L": "u1", "RGB": "u1", "I": "i4", "F": "f4"}[mode]
        picture = Pillow.fromarray((generator.random(shape) * 200).astype(kind))
    picture.getexif()[0x0112] = draw(st.integers(0, 9))
    return picture


OTHERS = st.one_of(
    st.binary(max_size=300),
    st.builds("nowhere {}".format, st.text(max_size=30)),
    st.none(),
    st.integers(),
    st.floats(),
    st.dictionaries(st.integers(), st.integers(), max_size=2),
    st.builds(lambda s: Path(f"nowhere {s}"), st.text(max_size=300)),
    st.builds(io.StringIO, st.text(max_size=20)),
    st.builds(lambda b, s: damaged_start(b, s), st.binary(max_size=100), st.integers(0, 8)),
    st.lists(st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=2)), max_size=4), max_size=4),
)
STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"BM",
    b"RIFF\0\0\0\0WEBP",
    b"II*\0",
    b"MM\0*",
    b"II+\0\x08\0\0\0",
    b"\x93NUMPY\x01\0",
)


def damaged_start(content, which):
    return STARTS[which] + content


def checked(shape, source, method, layout=None, space=None):
    """Explain, and check that this ends as it must."""
    rank, channels = len(shape) - 1, shape[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        try:
            if isinstance(source, list):  # elsewhere a list of images
                source = read_image(source, rank, channels, layout=layout)
            explanation = xaimri.explain(model(shape), source, method, layout=layout, **METHODS[method])
        except XaimriError as error:
            COUNT["refused"] += 1
            text = str(error)
            assert text.isprintable(), repr(text)
            assert text.endswith((".", "`", '"', "'", ")", "]")), text
            assert len(text) < 800, text
            return
    COUNT["explained"] += 1
    assert explanation.values.shape == explanation.image.shape[:-1]
    assert explanation.values.ndim == rank
    assert explanation.image.shape[-1] == channels
    assert space is None or explanation.values.shape == space
    assert np.isfinite(explanation.image).all()
    assert np.isfinite(explanation.values).all() or "not_finite" in {c.name for c in explanation.caveats}


def of_shape(array, rank, layout):
    """The spatial shape that an array must be taken to have."""
    if array.ndim == rank:
        return array.shape
    return array.shape[1:] if layout == "channels_first" else array.shape[:-1]


METHOD = st.sampled_from(tuple(METHODS))


@given(st.data(), shapes(), METHOD, st.sampled_from((None, None, "channels_first", "channels_last")))
@share(0.3)
def test_arrays(data, shape, method, layout):
    rank = len(shape) - 1
    array = data.draw(arrays(data.draw(st.sampled_from((rank,) * 7 + (5 - rank,))), shape[-1]))
    before, strides, writeable = array.tobytes(), array.strides, array.flags.writeable
    checked(shape, array, method, layout, of_shape(array, rank, layout))
    assert array.tobytes() == before
    assert (array.strides, array.flags.writeable) == (strides, writeable)


@given(pil_images(), shapes((2,) * 9 + (3,)), METHOD)
@share(0.1)
def test_pil_images(picture, shape, method):
    before = picture.mode, picture.size, picture.tobytes() if picture.size[0] else b""
    checked(shape, picture, method)
    assert (picture.mode, picture.size, picture.tobytes() if picture.size[0] else b"") == before


@given(
    files(),
    shapes((2, 2, 2, 3)),
    METHOD,
    st.sampled_from((bytes, bytearray, memoryview, io.BytesIO, *SUFFIXES)),
)
@share(0.5)
def test_files(folder, content, shape, method, passed):
    source = content
    if isinstance(passed, str):
        source = folder / f"file{passed}"
        source.write_bytes(content)
    else:
        source = passed(content)
    checked(shape, source, method)


@given(OTHERS, shapes(), METHOD)
@share(0.1)
def test_anything_else(source, shape, method):
    checked(shape, source, method)
