from __future__ import annotations

import contextlib
import io
import pickle
import struct
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from jaxtyping import TypeCheckError
from PIL import Image as Pillow
from PIL import ImageOps

from xaimri.data import load_images
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.images import decoders, read_image, with_channels

GREY = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_lossless_files_give_the_stored_intensities(tmp_path, suffix):
    for pixels, channels in ((GREY, 1), (COLOUR, 3)):
        path = tmp_path / f"{channels}.{suffix}"
        Pillow.fromarray(pixels).save(path)
        image = read_image(path)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, pixels.reshape(5, 6, channels))
        np.testing.assert_array_equal(read_image(str(path)), image)


def test_jpeg_is_what_pillow_decodes(tmp_path):
    Pillow.fromarray(GREY).save(tmp_path / "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as picture:
        expected = np.asarray(picture)[..., None]
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), expected)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_values(tmp_path, suffix):
    deep = (np.arange(30).reshape(5, 6) * 2184).astype(np.uint16)
    Pillow.fromarray(deep).save(tmp_path / f"deep.{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"deep.{suffix}")[..., 0], deep)


def test_float_files_keep_their_values(tmp_path):
    values = np.linspace(-3, 700, 30, dtype=np.float32).reshape(5, 6)
    Pillow.fromarray(values).save(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", values.astype(">f8"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 0], values)
    np.testing.assert_array_equal(read_image(tmp_path / "a.npy")[..., 0], values)


def test_palette_gives_the_colours_it_names():
    palette = Pillow.new("P", (6, 5))
    palette.putpalette([10, 20, 30, 40, 50, 60] + [0] * 762)
    palette.putdata([0, 1] * 15)
    image = read_image(palette)
    np.testing.assert_array_equal(image[0, :2], [[10, 20, 30], [40, 50, 60]])


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("LA", 1), ("I", 1), ("F", 1), ("I;16B", 1)])
def test_grey_modes_have_one_channel(mode, channels):
    assert read_image(Pillow.new(mode, (6, 5))).shape == (5, 6, channels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBa", "PA", "CMYK", "YCbCr", "HSV", "LAB"])
def test_other_modes_have_three(mode):
    assert read_image(Pillow.new(mode, (6, 5))).shape == (5, 6, 3)


def test_alpha_is_dropped_and_not_blended():
    alpha = np.concatenate([COLOUR, np.full((5, 6, 1), 3, np.uint8)], axis=-1)
    for source in (alpha, Pillow.fromarray(alpha)):
        np.testing.assert_array_equal(read_image(source), COLOUR)


def test_cmyk_black_and_white():
    white, black = Pillow.new("CMYK", (2, 1), (0, 0, 0, 0)), Pillow.new("CMYK", (2, 1), (0, 0, 0, 255))
    assert read_image(white).min() == 255
    assert read_image(black).max() == 0


def test_exif_rotation_is_applied(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn a quarter clockwise
    Pillow.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 0], np.rot90(GREY, -1))


def test_frames_are_the_first_axis_of_a_volume_and_refused_as_a_slice(tmp_path):
    frames = [GREY, GREY + 1, GREY + 2]
    first, *others = [Pillow.fromarray(frame) for frame in frames]
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others)
    np.testing.assert_array_equal(read_image(tmp_path / "stack.tif", rank=3)[..., 0], np.stack(frames))
    with pytest.raises(InvalidInput, match="holds 3 frames"):
        read_image(tmp_path / "stack.tif")


def test_arrays_by_rank():
    assert read_image(np.zeros((5, 6))).shape == (5, 6, 1)
    assert read_image(np.zeros((5, 6, 3), bool)).shape == (5, 6, 3)
    assert read_image(np.zeros((5, 6, 3)), rank=3).shape == (5, 6, 3, 1)
    assert read_image(np.zeros((5, 6, 8, 4)), rank=3).shape == (5, 6, 8, 3)
    assert read_image([[1, 2], [3, 4], [5, 6]]).shape == (3, 2, 1)


def test_as_many_channels_as_the_model_takes_are_kept():
    four = np.arange(120.0).reshape(5, 6, 4)
    np.testing.assert_array_equal(read_image(four, channels=4), four)
    np.testing.assert_array_equal(read_image(four[..., :2], channels=2), four[..., :2])
    assert read_image(GREY, channels=3).shape == (5, 6, 3)


def test_the_callers_array_is_never_the_result():
    for own in (np.ones((5, 6, 1), np.float32), np.ones((5, 6), np.float32)):
        kept = own.copy()
        read_image(own)[...] = 7
        np.testing.assert_array_equal(own, kept)


@pytest.mark.parametrize(
    ("source", "rank", "sentence"),
    [
        (np.zeros((0, 6)), 2, "is empty"),
        (np.full((5, 6), np.nan), 2, "30 values that are NaN or infinite"),
        (np.array([[1.0, np.inf]]), 2, "1 values that are NaN or infinite"),
        (np.full((5, 6), 1e300), 2, "values beyond 1e\\+15, with which float32 overflows"),
        (np.full((5, 6), -2e15), 2, "divide it by its largest"),
        (np.array([[np.nan]], np.float16), 2, "1 values that are NaN"),
        (np.zeros(6), 2, r"shape \(6,\)"),
        (
            np.zeros((3, 5, 6)),
            2,
            r'\(3, 5, 6\), which can only be channels first: pass layout="channels_first"',
        ),
        (np.zeros((5, 6, 2)), 2, "channels last"),
        (np.zeros((3, 5, 6, 7)), 3, "can only be channels first"),
        (np.ma.masked_equal([[1, 2]], 2), 2, "masked"),
        (None, 2, "real numbers"),
        (7, 2, r"shape \(\)"),
        (b"scan.png", 2, "the file given as bytes is no image"),
        (b"", 2, "is empty: fetch"),
        ("a\nb\0.png", 2, r"`a\\nb\\x00.png`"),
        ("a" * 5000, 2, "a`"),
        (np.zeros((1, 5, 6, 3)), 2, "one image at a time"),
        (np.zeros((5, 6)), 3, "3-D model"),
        (np.zeros((5, 6), complex), 2, "real numbers"),
        (np.array([["a", "b"]]), 2, "real numbers"),
        ([[1, 2], [3]], 2, "ragged"),
        (np.zeros((5, 6)), 4, "`rank`"),
        ("nowhere.png", 2, "there is no file `nowhere.png`"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(source, rank, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read_image(source, rank)


NOISE = np.random.default_rng(0).integers(0, 256, (24, 20, 3)).astype(np.uint8)
FILES = [
    ("PNG", {}),
    ("BMP", {}),
    ("GIF", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("WEBP", {}),
]


def encoded(pixels, kind, **options):
    """A file's bytes; an array of more than one frame is written as frames."""
    stream = io.BytesIO()
    first, *others = [Pillow.fromarray(frame) for frame in (pixels if isinstance(pixels, list) else [pixels])]
    first.save(stream, kind, **options, **({"save_all": True, "append_images": others} if others else {}))
    return stream.getvalue()


def saved(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def tiff(array, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def deep_png(pixels):
    """A 16-bit PNG of 2 to 4 channels, written by hand: Pillow writes none."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    start = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    return start + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


DEEP = np.random.default_rng(1).integers(0, 65536, (9, 11, 4)).astype(np.uint16)


def test_sixteen_bit_colour_keeps_its_values():
    for channels, kept in ((2, 1), (3, 3), (4, 3)):
        pixels = DEEP[..., :channels]
        np.testing.assert_array_equal(read_image(deep_png(pixels)), pixels[..., :kept])
    rgb = DEEP[..., :3]
    for order in "<>":
        for options in (
            {},
            {"compression": "zlib"},
            {"compression": "zlib", "predictor": True},
            {"tile": (16, 16)},
        ):
            content = tiff(rgb.astype(f"{order}u2"), byteorder=order, photometric="rgb", **options)
            np.testing.assert_array_equal(read_image(content), rgb)
    planes = tiff(np.ascontiguousarray(np.moveaxis(rgb, -1, 0)), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(planes), rgb)
    volume = np.stack([rgb, rgb // 2, rgb[::-1]])
    np.testing.assert_array_equal(read_image(tiff(volume, photometric="rgb"), rank=3), volume)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiffs_of_every_type_keep_their_values(kind, channels):
    start = 0 if kind[0] == "u" else -30
    top = 3_000_000_000 if kind == "u4" else 90  # beyond the int32 in which Pillow holds it
    pixels = np.linspace(start, top, 30 * channels).astype(kind).reshape(5, 6, channels)
    content = tiff(
        pixels if channels == 3 else pixels[..., 0], photometric="rgb" if channels == 3 else "minisblack"
    )
    np.testing.assert_array_equal(read_image(content), pixels.astype(np.float32))


def test_sixteen_bit_cmyk_is_refused_and_not_reduced():
    content = tiff(DEEP, photometric="separated")
    with pytest.raises(InvalidInput, match="16-bit colour as CMYK"):
        read_image(content)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = encoded(COLOUR, "PNG", exif=exif)
    with Pillow.open(io.BytesIO(content)) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read_image(content), upright)
    turned = tiff(COLOUR.astype("f8"), photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    np.testing.assert_array_equal(read_image(turned), upright)
    with Pillow.fromarray(GREY) as plain:
        plain.getexif()[0x0112] = orientation
        np.testing.assert_array_equal(read_image(plain)[..., 0], np.asarray(ImageOps.exif_transpose(plain)))


def test_the_content_decides_however_it_is_passed(tmp_path):
    for content in (encoded(COLOUR, "PNG"), saved(COLOUR)):
        (tmp_path / "a.jpg").write_bytes(content)
        sources = [content, bytearray(content), memoryview(content), io.BytesIO(content), tmp_path / "a.jpg"]
        for source in sources:
            np.testing.assert_array_equal(read_image(source), COLOUR)
        read_before = io.BytesIO(content)
        read_before.read()
        np.testing.assert_array_equal(read_image(read_before), COLOUR)
        with (tmp_path / "a.jpg").open("rb") as stream:
            np.testing.assert_array_equal(read_image(stream), COLOUR)
            assert not stream.closed
    np.testing.assert_array_equal(read_image(memoryview(GREY))[..., 0], GREY)
    with pytest.raises(InvalidInput, match="open as text"):
        read_image(io.StringIO("pixels"))
    closed = io.BytesIO(content)
    closed.close()
    with pytest.raises(InvalidInput, match="the file cannot be read"):
        read_image(closed)


def test_channels_first_when_it_is_said():
    first = np.moveaxis(COLOUR, -1, 0)
    np.testing.assert_array_equal(read_image(first, layout="channels_first"), COLOUR)
    np.testing.assert_array_equal(read_image(saved(first), layout="channels_first"), COLOUR)
    np.testing.assert_array_equal(read_image(GREY[None], layout="channels_first")[..., 0], GREY)
    np.testing.assert_array_equal(read_image(GREY, layout="channels_first")[..., 0], GREY)
    np.testing.assert_array_equal(read_image(encoded(COLOUR, "PNG"), layout="channels_first"), COLOUR)
    five = np.arange(150.0).reshape(5, 5, 6)
    np.testing.assert_array_equal(
        read_image(five, channels=5, layout="channels_first"), np.moveaxis(five, 0, -1)
    )
    volume = np.arange(360.0).reshape(3, 4, 5, 6)
    np.testing.assert_array_equal(
        read_image(volume, 3, layout="channels_first"), volume.transpose(1, 2, 3, 0)
    )


def test_what_may_be_channels_last_is_taken_so():
    either = np.arange(360.0).reshape(3, 40, 3)
    np.testing.assert_array_equal(read_image(either), either)
    np.testing.assert_array_equal(read_image(either, layout="channels_first"), np.moveaxis(either, 0, -1))
    with pytest.raises(InvalidInput, match=r"\(channels, height, width\)"):
        read_image(COLOUR, layout="channels_first")
    with pytest.raises((InvalidInput, TypeCheckError), match="layout"):
        read_image(COLOUR, layout="first")


@pytest.mark.parametrize("kind", ["?", "u1", "u2", "i2", "i4", "u8", "f2", "f4", ">f8", "longdouble"])
def test_numbers_of_every_type(kind):
    pixels = (GREY % 2 if kind == "?" else GREY).astype(kind)
    kept = pixels.copy()
    image = read_image(pixels)
    np.testing.assert_array_equal(image[..., 0], pixels.astype(np.float32))
    image[...] = -1
    np.testing.assert_array_equal(pixels, kept)


def test_constant_images_are_images():
    for value in (0, 255):
        constant = np.full((5, 6), value, np.uint8)
        assert (read_image(constant) == value).all()
        assert (read_image(encoded(constant, "PNG")) == value).all()


def test_a_slice_is_no_volume():
    for source in (encoded(COLOUR, "PNG"), Pillow.fromarray(COLOUR)):
        with pytest.raises(InvalidInput, match="one slice, and a 3-D model takes a volume"):
            read_image(source, rank=3)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_frames_may_be_grey_and_colour(kind):
    frames = read_image(encoded([GREY, COLOUR], kind), rank=3)
    assert frames.shape == (2, 5, 6, 3)
    np.testing.assert_array_equal(frames[0], GREY[..., None].repeat(3, -1))


def test_frames_of_different_sizes_are_no_volume():
    sizes = encoded([GREY, GREY[:3]], "TIFF")
    with pytest.raises(InvalidInput, match="different sizes"):
        read_image(sizes, rank=3)


def test_a_pil_image_stays_at_its_frame(tmp_path):
    (tmp_path / "a.tif").write_bytes(encoded([GREY, 255 - GREY, GREY // 2], "TIFF"))
    with Pillow.open(tmp_path / "a.tif") as picture:
        picture.seek(1)
        assert read_image(picture, rank=3).shape == (3, 5, 6, 1)
        assert picture.tell() == 1
        np.testing.assert_array_equal(np.asarray(picture), 255 - GREY)
    with pytest.raises(InvalidInput, match="the PIL image cannot be decoded"):
        read_image(picture, rank=3)


@pytest.mark.parametrize(("kind", "options"), FILES)
def test_a_file_cut_short_is_refused_or_whole(kind, options, capfd):
    content = encoded(NOISE, kind, **options)
    whole = read_image(content)
    refused = 0
    for size in range(0, len(content), 7):
        try:
            np.testing.assert_array_equal(read_image(content[:size]), whole)
        except InvalidInput:
            refused += 1
    assert refused >= len(content) // 7 - 5  # a PNG is whole without its end chunk


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_a_volume_cut_short_never_lacks_a_frame(kind, capfd):
    grey = NOISE[:12, :10, 0]
    frames = [grey, grey[::-1], grey[:, ::-1], 255 - grey]
    content = encoded(frames, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
    for size in range(len(content)):
        with contextlib.suppress(InvalidInput):
            assert len(read_image(content[:size], rank=3)) == 4


def test_broken_files(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "head.png").write_bytes(encoded(GREY, "PNG")[:12])
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "short.npy").write_bytes(saved(NOISE)[:-1])
    (tmp_path / "pickle.npy").write_bytes(saved(np.array([{}], dtype=object), allow_pickle=True))
    (tmp_path / "raw.npy").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "words.npy").write_bytes(saved(np.array(["a"])))
    sentences = {
        "text.png": "text.png` is no image that can be read",
        "empty.png": "empty.png` is empty",
        "head.png": "head.png` is damaged",
        "bad.npy": "bad.npy` is damaged",
        "short.npy": "short.npy` is damaged.*before its last value",
        "pickle.npy": "pickle.npy` must hold real numbers",
        "raw.npy": "raw.npy` is no image",
        "words.npy": "words.npy` must hold real numbers",
    }
    for name, sentence in sentences.items():
        with pytest.raises(InvalidInput, match=sentence):
            read_image(tmp_path / name)
    with pytest.raises(InvalidInput, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(InvalidInput, match="is a device, not a regular file"):
        read_image("/dev/null")


def header_only(shape, kind="<f4"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def bomb(side):
    """A PNG of some kilobytes that unfolds to `side` x `side` zeros."""
    packed = zlib.compressobj(9)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = bytes(1 + (side + 7) // 8)
    rows = b"".join(packed.compress(row) for _ in range(side)) + packed.flush()
    start = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    return start + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def test_oversized_files_are_refused_by_their_header():
    most, before = Pillow.MAX_IMAGE_PIXELS, list(warnings.filters)
    content = bomb(12_000)
    assert len(content) < 100_000
    tracemalloc.start()
    try:
        for source in (content, bomb(20_000), header_only((10_000, 10_001)), header_only((10**30, 2))):
            with pytest.raises(InvalidInput, match="pixels"):
                read_image(source)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert most == Pillow.MAX_IMAGE_PIXELS
    assert warnings.filters == before


def test_pillows_own_limit_neither_warns_nor_is_changed(monkeypatch):
    content = encoded(GREY, "BMP")
    monkeypatch.setattr(
        Pillow, "MAX_IMAGE_PIXELS", 20
    )  # Pillow warns from here, and raises from twice as many
    np.testing.assert_array_equal(read_image(content)[..., 0], GREY)
    assert Pillow.MAX_IMAGE_PIXELS == 20
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InvalidInput, match="more pixels than Pillow's limit"):
        read_image(content)


def test_all_frames_count(monkeypatch):
    monkeypatch.setattr(decoders, "MOST_PIXELS", 60)
    assert read_image(encoded([GREY, GREY + 1], "TIFF"), rank=3).shape == (2, 5, 6, 1)
    for content in (
        encoded([GREY, GREY + 1, GREY], "TIFF"),
        tiff(np.zeros((3, 5, 6)), photometric="minisblack"),
    ):
        with pytest.raises(InvalidInput, match="unfolds to 90 pixels, and files of up to 60 are read"):
            read_image(content, rank=3)


def test_no_warning_of_a_decoder_reaches_the_caller_from_any_thread():
    content = encoded(NOISE, "PNG")[:60] + b"\0" * 40
    before = list(warnings.filters)

    def read_both(_):
        read_image(encoded(NOISE, "PNG"))
        with pytest.raises(InvalidInput):
            read_image(content)
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_both, range(40)))
    assert warnings.filters == before


def test_luminance_by_hand():
    image = COLOUR.astype(np.float32)
    by_hand = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    np.testing.assert_allclose(with_channels(image, 1)[..., 0], by_hand, rtol=1e-6)
    with Pillow.fromarray(COLOUR) as picture:
        assert np.abs(with_channels(image, 1)[..., 0] - np.asarray(picture.convert("L"))).max() <= 1


def test_luminance_leaves_grey_alone_and_repeating_is_undone():
    grey = GREY[..., None].astype(np.float32)
    three = with_channels(grey, 3)
    assert all((three[..., c] == grey[..., 0]).all() for c in range(3))
    np.testing.assert_allclose(with_channels(three, 1), grey, rtol=1e-6)
    assert with_channels(grey, None) is grey
    with pytest.raises(InvalidInput, match="3 channels cannot be given 2"):
        with_channels(three, 2)


def dataset(*sources):
    return Dataset(("a",), tuple(Case(f"case {i}", 0, None, s) for i, s in enumerate(sources)))


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_load_is_read_and_sample(tmp_path, fit):
    Pillow.fromarray(COLOUR).save(tmp_path / "a.png")
    loaded = load_images(dataset(tmp_path / "a.png", GREY), (4, 7), channels=3, fit=fit)
    assert loaded.shape == (2, 4, 7, 3)
    assert loaded.dtype == np.float32
    grid = Grid.fitted((5, 6), (4, 7), fit)
    for channel in range(3):
        np.testing.assert_array_equal(
            loaded[0, ..., channel], grid.sample(COLOUR[..., channel].astype(np.float32))
        )
        np.testing.assert_array_equal(loaded[1, ..., channel], grid.sample(GREY.astype(np.float32)))


def test_load_of_the_same_size_changes_nothing_and_takes_volumes():
    volume = np.random.default_rng(0).random((3, 5, 6)).astype(np.float32)
    np.testing.assert_array_equal(load_images(dataset(volume), (3, 5, 6))[0, ..., 0], volume)
    assert load_images(dataset(), (3, 5)).shape == (0, 3, 5, 1)


def test_load_names_the_case_that_fails():
    with pytest.raises(InvalidInput, match="case `case 1` cannot be read"):
        load_images(dataset(GREY, np.zeros(3)), (5, 6))
