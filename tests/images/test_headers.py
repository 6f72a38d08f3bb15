"""What is left to Pillow, and is read right there: whatever OpenCV would read otherwise, or in doubt."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageOps

from xaimri.errors import InvalidInput
from xaimri.images import decoders, read_image
from xaimri.images.headers import Header, content_of, header_of

GREY = np.random.default_rng(0).integers(0, 256, (9, 7)).astype(np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (9, 7, 3)).astype(np.uint8)
ALPHA = np.random.default_rng(2).integers(0, 256, (9, 7, 4)).astype(np.uint8)
SIXTH = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # EXIF: the orientation 6

XMP = b'<x:xmpmeta tiff:Orientation="6"/>'
TAGS = b"Exif\0\0" + SIXTH


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def saved(pixels, kind, **options):
    stream = io.BytesIO()
    picture = pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)
    picture.save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels, **options):
    stream = io.BytesIO()
    options.setdefault("photometric", "rgb" if pixels.ndim > 2 else "minisblack")
    tifffile.imwrite(stream, pixels, metadata=None, **options)
    return stream.getvalue()


def with_chunk(name, content, place=33):
    """A PNG with one chunk more, before its pixels or at another place."""
    plain = saved(COLOUR, "PNG")
    return plain[:place] + chunk(name, content) + plain[place:]


def plain(content):
    """Whether OpenCV gets a file."""
    stream = io.BytesIO(content)
    header = header_of(stream)
    return header is not None and content_of(stream, header) is not None


def palette():
    picture = Pillow.fromarray(GREY % 4).convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3])
    return picture


def by_pillow(content):
    with Pillow.open(io.BytesIO(content)) as picture:
        return np.array(ImageOps.exif_transpose(picture))


TIFF_WITH_XMP = tiff(COLOUR, extratags=[(700, "B", len(XMP), XMP, True)])
TURNED = np.rot90(COLOUR, -1)
PLAIN = saved(COLOUR, "PNG")
JPEG = saved(COLOUR, "JPEG")
LEFT = {
    "1 bit": (saved(Pillow.fromarray(GREY > 99), "PNG"), (GREY > 99) * 255.0),
    "a palette": (saved(palette(), "PNG"), np.array(palette().convert("RGB"))),
    "eXIf": (with_chunk(b"eXIf", SIXTH), TURNED),
    "eXIf behind the pixels": (with_chunk(b"eXIf", SIXTH, len(PLAIN) - 12), TURNED),
    "EXIF as text": (
        with_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n%d\n" % len(TAGS) + TAGS.hex().encode() + b"\n"),
        TURNED,
    ),
    "XMP": (
        with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        TURNED,
    ),
    "no end": (PLAIN[:-12], COLOUR),
    "a wrong checksum": (PLAIN[:-16] + b"abcd" + PLAIN[-12:], COLOUR),
    "CMYK": (saved(Pillow.new("CMYK", (3, 2), (0, 0, 0, 0)), "JPEG"), np.full((2, 3, 3), 255)),
    "bytes behind a JPEG": (JPEG + b"ab", by_pillow(JPEG)),
    "LZW": (saved(COLOUR, "TIFF", compression="tiff_lzw"), COLOUR),
    "deflate": (tiff(COLOUR, compression="zlib"), COLOUR),
    "tiles": (tiff(COLOUR, tile=(16, 16)), COLOUR),
    "planes": (
        tiff(np.ascontiguousarray(np.moveaxis(COLOUR, -1, 0)), photometric="rgb", planarconfig="separate"),
        COLOUR,
    ),
    "white is 0": (tiff(GREY, photometric="miniswhite"), 255 - GREY),
    "alpha": (tiff(ALPHA, extrasamples=["unassalpha"]), ALPHA[..., :3]),
    "16 bits and alpha": (
        tiff(ALPHA.astype(">u2") * 257, byteorder=">", extrasamples=["unassalpha"]),
        ALPHA[..., :3] * 257.0,
    ),
    "float": (tiff(GREY / np.float32(3)), GREY / np.float32(3)),
    "signed": (tiff(GREY.astype("i2") - 99), GREY.astype("i2") - 99),
    "a turned TIFF": (tiff(COLOUR, extratags=[(274, "H", 1, 6, True)]), TURNED),
    "a turned TIFF of 16 bits": (
        tiff(COLOUR * np.uint16(200), extratags=[(274, "H", 1, 6, True)]),
        TURNED * np.uint16(200),
    ),
    "a TIFF with XMP": (TIFF_WITH_XMP, by_pillow(TIFF_WITH_XMP)),  # older ones don't turn by it
    "several views": (
        saved(COLOUR, "MPO", save_all=True, append_images=[Pillow.fromarray(255 - COLOUR)]),
        by_pillow(JPEG),
    ),
    "BigTIFF": (tiff(COLOUR, bigtiff=True), COLOUR),
}


@pytest.mark.parametrize("kind", LEFT)
def test_what_opencv_would_read_otherwise_is_left_to_pillow(kind):
    content, pixels = LEFT[kind]
    assert not plain(content)
    np.testing.assert_array_equal(read_image(content), pixels.reshape(*pixels.shape[:2], -1).astype("f4"))


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (PLAIN, Header("PNG", 9, 7, 3, 8)),
        (saved(ALPHA, "PNG"), Header("PNG", 9, 7, 3, 8)),
        (saved(GREY * np.uint16(99), "PNG"), Header("PNG", 9, 7, 1, 16)),
        (with_chunk(b"tEXt", b"Software\0by hand"), Header("PNG", 9, 7, 3, 8)),
        (JPEG, Header("JPEG", 9, 7, 3, 8)),
        (saved(GREY, "JPEG", progressive=True), Header("JPEG", 9, 7, 1, 8)),
        (saved(GREY, "JPEG", exif=TAGS), Header("JPEG", 9, 7, 1, 8, turned=True)),
        (saved(GREY, "TIFF"), Header("TIFF", 9, 7, 1, 8)),
        (tiff(COLOUR * np.uint16(200), rowsperstrip=2), Header("TIFF", 9, 7, 3, 16)),
        (tiff(GREY.astype(">u2"), byteorder=">"), Header("TIFF", 9, 7, 1, 16)),
    ],
)
def test_what_opencv_reads(content, header):
    stream = io.BytesIO(content)
    assert header_of(stream) == header
    assert plain(content)


def test_frames_are_not_lost():
    """Of an animated PNG and a TIFF of two pages, OpenCV would give the first."""
    stream = io.BytesIO()
    Pillow.fromarray(GREY).save(stream, "PNG", save_all=True, append_images=[Pillow.fromarray(255 - GREY)])
    pages = tiff(np.stack([COLOUR, COLOUR]))
    for content in (stream.getvalue(), pages):
        assert not plain(content)
        with pytest.raises(InvalidInput, match="2 frames"):
            read_image(content)


def test_no_file_costs_more_than_its_pixels(monkeypatch):
    """Junk behind the pixels is not read; a strip of 4 billion rows is no array."""
    monkeypatch.setattr(decoders, "MOST_PIXELS", 100)
    for content in (PLAIN, saved(COLOUR, "TIFF")):
        stream = io.BytesIO(content + bytes(2**21))
        header = header_of(stream)
        assert header is not None
        assert content_of(stream, header) is None
    high = entry(tiff(GREY), 257, 2**32 - 1)
    assert header_of(io.BytesIO(high)) is None
    with pytest.raises(InvalidInput, match="pixels"):
        read_image(high)


def entry(content, tag, value):
    """A little-endian TIFF with another value of a tag."""
    changed = bytearray(content)
    at = next(i for i in range(10, 10 + 12 * content[8], 12) if changed[i : i + 2] == struct.pack("<H", tag))
    changed[at + 8 : at + 12] = struct.pack("<I", value)
    return bytes(changed)


def test_a_tiff_whose_strips_do_not_hold_its_rows_is_no_picture():
    whole = tiff(COLOUR)
    assert plain(whole)
    for changed in (entry(whole, 279, COLOUR.size - 1), entry(whole, 279, COLOUR.size + 1)):
        assert not plain(changed)
    signed = tiff(ALPHA.astype("i2"), extrasamples=["unassalpha"], compression="zlib")
    assert read_image(signed).shape == (9, 7, 3)
    with pytest.raises(InvalidInput, match="some of its strips are missing"):
        read_image(
            entry(signed, 284, 61953)
        )  # no way to lie in planes: three of four would be what memory held


@pytest.mark.parametrize("content", [PLAIN, JPEG, saved(COLOUR, "TIFF"), tiff(COLOUR * np.uint16(200))])
def test_a_file_cut_anywhere_is_not_plain(content):
    assert plain(content)
    assert not any(plain(content[:size]) for size in range(len(content) - 1))
