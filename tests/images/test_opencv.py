"""OpenCV gives the numbers that a file was made of, those of Pillow, and no line on the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from xaimri.errors import InvalidInput
from xaimri.images import decoders, opencv, read_image
from xaimri.images.headers import content_of, header_of

PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
COLOURS = {0: 1, 2: 3, 4: 2, 6: 4}
CHUNKS = {
    b"gAMA": struct.pack(">I", 100000),
    b"pHYs": struct.pack(">IIB", 1, 1, 0),
    b"iCCP": b"bad\0\0" + zlib.compress(b"no profile" * 20),  # of which libpng warns
    b"tEXt": b"Software\0by hand",
    b"prVt": b"private",
}


@contextlib.contextmanager
def without_opencv():
    """As before OpenCV read files, but for 16-bit colour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoders, "header_of", lambda stream: None)
        yield


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels, colour, interlaced, extra):
    """A PNG written by hand: each row is subtracted from the next, or not at all."""
    height, width = pixels.shape[:2]
    bits = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    packed = b""
    for top, left, down, right in PASSES if interlaced else ((0, 0, 1, 1),):
        part = pixels[top::down, left::right]
        rows = np.frombuffer(part.astype(part.dtype.newbyteorder(">")).tobytes(), np.uint8)
        rows = rows.reshape(part.shape[0], -1) if part.size else np.zeros((0, 0), np.uint8)
        for i, row in enumerate(rows):
            packed += b"\0" + row.tobytes() if i % 2 == 0 else b"\2" + (row - rows[i - 1]).tobytes()
    content = zlib.compress(packed)
    half = len(content) // 2
    chunks = [(b"IHDR", header), *((name, CHUNKS[name]) for name in extra)]
    if b"tRNS" not in extra and colour in (0, 2):
        chunks.append((b"tRNS", b"".join(int(v).to_bytes(2, "big") for v in pixels[0, 0])))
    chunks += [(b"IDAT", content[:half]), (b"IDAT", content[half:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def tiff(pixels, order, rows):
    """A TIFF written by hand, its strips in the wrong order in the file."""
    height, width, channels = pixels.shape
    kind = pixels.dtype.newbyteorder(order)
    strips = [pixels[i : i + rows].astype(kind).tobytes() for i in range(0, height, rows)]
    body, places = b"", []
    for strip in reversed(strips):
        places.insert(0, 8 + len(body))
        body += strip
    arrays = {
        258: [8 * pixels.dtype.itemsize] * channels,
        273: places,
        279: [len(strip) for strip in strips],
    }
    single = {256: width, 257: height, 259: 1, 262: 1 if channels == 1 else 2, 277: channels, 278: rows}
    entries, behind = [], b""
    start = 8 + len(body)
    table = 2 + 12 * (len(arrays) + len(single) + 1) + 4
    for tag, values in sorted({**arrays, **{k: [v] for k, v in single.items()}, 65000: [7]}.items()):
        wide = "H" if tag in (258, 259, 262, 277) else "I"
        packed = struct.pack(f"{order}{len(values)}{wide}", *values)
        if len(packed) > 4:
            packed, behind = struct.pack(f"{order}I", start + table + len(behind)), behind + packed
        head = struct.pack(f"{order}HHI", tag, 3 if wide == "H" else 4, len(values))
        entries.append(head + packed.ljust(4, b"\0"))
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    sign = b"II*\0" if order == "<" else b"MM\0*"
    return sign + struct.pack(f"{order}I", start) + body + directory + behind


def drawn(draw, channels):
    shape = (draw(st.integers(1, 20)), draw(st.integers(1, 20)), channels)
    kind = draw(st.sampled_from((np.uint8, np.uint16)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.integers(0, np.iinfo(kind).max, shape, endpoint=True).astype(kind)


@st.composite
def pngs(draw):
    colour = draw(st.sampled_from(tuple(COLOURS)))
    pixels = drawn(draw, COLOURS[colour])
    extra = draw(st.lists(st.sampled_from(tuple(CHUNKS)), unique=True, max_size=3))
    return png(pixels, colour, draw(st.integers(0, 1)), extra), pixels[..., : 1 if colour in (0, 4) else 3]


@st.composite
def tiffs(draw):
    pixels = drawn(draw, draw(st.sampled_from((1, 3))))
    return tiff(pixels, draw(st.sampled_from("<>")), draw(st.integers(1, 20))), pixels


@st.composite
def jpegs(draw):
    stream = io.BytesIO()
    pixels = np.cumsum(drawn(draw, 3).astype(np.uint8) % 9, axis=0).astype(np.uint8)
    picture = Pillow.fromarray(pixels).convert(draw(st.sampled_from(("L", "RGB"))))
    exif = Pillow.Exif()
    exif[274] = draw(st.integers(0, 9))
    options = {"subsampling": draw(st.integers(0, 2)), "progressive": draw(st.booleans())}
    picture.save(stream, "JPEG", quality=draw(st.integers(1, 100)), exif=exif, **options)
    return stream.getvalue(), None


@given(st.one_of(pngs(), tiffs()))
@settings(max_examples=150, deadline=None)
def test_the_numbers_that_the_file_was_made_of(made):
    content, pixels = made
    stream = io.BytesIO(content)
    header = header_of(stream)
    assert header is not None
    given_ = content_of(stream, header)
    assert given_ is not None
    np.testing.assert_array_equal(opencv.frame(given_, header), pixels)
    np.testing.assert_array_equal(read_image(content), pixels.astype(np.float32))
    with without_opencv():
        np.testing.assert_array_equal(read_image(content), pixels.astype(np.float32))


def outcome(content):
    try:
        return read_image(content)
    except InvalidInput:
        return None


@given(st.one_of(pngs(), tiffs(), jpegs()), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_what_they_are_without_opencv(made, data):
    content = bytearray(made[0])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] ^= data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from((None, None, data.draw(st.integers(0, len(content))))))
    found = outcome(bytes(content[:cut]))
    with without_opencv():
        other = outcome(bytes(content[:cut]))
    assert (found is None) == (other is None)
    if found is not None:
        assert found.shape == other.shape
        assert np.abs(found - other).max() <= (1 if content[:2] == b"\xff\xd8" else 0)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1", None])
def test_jpegs_are_within_one_grey_level_of_pillows(subsampling):
    generator = np.random.default_rng(5)
    smooth = np.cumsum(np.cumsum(generator.normal(0, 2, (67, 45, 3)), 0), 1)
    pixels = np.clip(128 + smooth + generator.normal(0, 9, smooth.shape), 0, 255).astype(np.uint8)
    for quality in (5, 60, 95):
        for options in ({}, {"progressive": True}, {"restart_marker_blocks": 3}):
            for orientation in (1, 6):
                exif, stream = Pillow.Exif(), io.BytesIO()
                exif[274] = orientation
                picture = Pillow.fromarray(pixels if subsampling else pixels[..., 0])
                sampled = {"subsampling": subsampling} if subsampling else {}
                picture.save(stream, "JPEG", quality=quality, exif=exif, **options, **sampled)
                header = header_of(stream)
                assert header is not None
                assert header.turned == (len(exif) > 0)
                with Pillow.open(stream) as stored:
                    upright = np.asarray(ImageOps.exif_transpose(stored), np.float32)
                found = read_image(stream.getvalue())
                assert np.abs(found - upright.reshape(found.shape)).max() <= 1


def test_a_mark_within_a_jpegs_pixels_leaves_it_to_pillow(capfd):
    """There OpenCV gives the pixels up to the mark, and libjpeg prints a line; Pillow may refuse it."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    for progressive in (False, True):
        stream = io.BytesIO()
        Pillow.fromarray(pixels).save(stream, "JPEG", progressive=progressive, restart_marker_blocks=2)
        content = stream.getvalue()
        header = header_of(stream)
        assert header is not None
        assert content_of(stream, header) == content
        middle = content.rindex(b"\xff\xda") + 40
        for mark in (b"\xff\x96", b"\xff\xd9", b"\xff\xd8", b"\xff\xdc", b"\xff\xff"):
            assert content_of(io.BytesIO(content[:middle] + mark + content[middle:]), header) is None
            outcome(content[:middle] + mark + content[middle:])
    assert capfd.readouterr().err == ""


def deep_tiff(pixels, compression):
    reordered = pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]]
    return cv2.imencode(".tif", reordered, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes()


DEEP = np.random.default_rng(7).integers(0, 65536, (30, 20, 4)).astype(np.uint16)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("compression", [1, 5, 8])
def test_sixteen_bit_colour_that_pillow_can_only_check(channels, compression, capfd):
    pixels = DEEP[..., :channels]
    np.testing.assert_array_equal(read_image(deep_tiff(pixels, compression)), pixels[..., :3])
    assert capfd.readouterr().err == ""


def test_decoders_that_disagree_are_told(monkeypatch):
    wrong = DEEP[..., :3] ^ 256
    monkeypatch.setattr(opencv, "pages", lambda content: [wrong])
    with pytest.raises(InvalidInput, match="is damaged"):
        read_image(deep_tiff(DEEP[..., :3], 5))
    stream = io.BytesIO()
    tifffile.imwrite(stream, DEEP[..., :3], photometric="rgb", tile=(16, 16))
    np.testing.assert_array_equal(read_image(stream.getvalue()), DEEP[..., :3])  # by tifffile
    monkeypatch.setattr(opencv, "frame", lambda content, header: None)
    with pytest.raises(InvalidInput, match="OpenCV refuses its 16 bits of colour"):
        read_image(png(DEEP[..., :3], 2, 0, ()))


def test_opencvs_settings_are_kept():
    log = getattr(cv2.utils, "logging", cv2)
    before = cv2.getNumThreads(), log.getLogLevel()
    read_image(deep_tiff(DEEP, 5))
    read_image(deep_tiff(DEEP[..., :3], 1))
    read_image(png(DEEP, 6, 1, ()))
    assert (cv2.getNumThreads(), log.getLogLevel()) == before


LIMITED = """
import io, sys
from xaimri.errors import InvalidInput
from xaimri.images import read_image
for content in eval(sys.stdin.read()):
    try:
        print(read_image(content).shape)
    except InvalidInput as error:
        print(error)
"""


def test_a_limit_that_opencv_is_given_costs_no_picture_that_pillow_reads():
    grey = DEEP[..., :1].astype(np.uint8)
    files = [png(grey, 0, 0, (b"iCCP",)), tiff(grey, "<", 4), png(DEEP, 6, 0, ())]
    run = subprocess.run(
        [sys.executable, "-c", LIMITED],
        input=repr(files),
        env={**os.environ, "OPENCV_IO_MAX_IMAGE_PIXELS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    *read, refused = run.stdout.splitlines()
    assert read == ["(30, 20, 1)"] * 2
    assert refused.endswith("(OpenCV refuses its 16 bits of colour): fetch it again, or pass an array.")
    assert run.stderr == ""


def test_whole_files_print_nothing(capfd):
    for extra in CHUNKS:
        read_image(png(DEEP, 6, 0, (extra,)))
    read_image(tiff(DEEP[..., :3], ">", 7))  # it has a private tag
    assert capfd.readouterr().err == ""


def test_where_opencv_cant_be_loaded_that_is_said_and_not_of_the_file(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"OpenCV can't be loaded .*opencv-python-headless`") as told:
        read_image(png(DEEP, 6, 0, ()))
    assert not isinstance(told.value, InvalidInput)
