from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from xaimri.data import images
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.grid import Grid

GREY = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_lossless_files_give_the_stored_intensities(tmp_path, suffix):
    for pixels, channels in ((GREY, 1), (COLOUR, 3)):
        path = tmp_path / f"{channels}.{suffix}"
        Pillow.fromarray(pixels).save(path)
        image = images.read(path)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, pixels.reshape(5, 6, channels))
        np.testing.assert_array_equal(images.read(str(path)), image)


def test_jpeg_is_what_pillow_decodes(tmp_path):
    Pillow.fromarray(GREY).save(tmp_path / "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as picture:
        expected = np.asarray(picture)[..., None]
    np.testing.assert_array_equal(images.read(tmp_path / "a.jpg"), expected)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_values(tmp_path, suffix):
    deep = (np.arange(30).reshape(5, 6) * 2184).astype(np.uint16)
    Pillow.fromarray(deep).save(tmp_path / f"deep.{suffix}")
    np.testing.assert_array_equal(images.read(tmp_path / f"deep.{suffix}")[..., 0], deep)


def test_float_files_keep_their_values(tmp_path):
    values = np.linspace(-3, 700, 30, dtype=np.float32).reshape(5, 6)
    Pillow.fromarray(values).save(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", values.astype(">f8"))
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif")[..., 0], values)
    np.testing.assert_array_equal(images.read(tmp_path / "a.npy")[..., 0], values)


def test_palette_gives_the_colours_it_names():
    palette = Pillow.new("P", (6, 5))
    palette.putpalette([10, 20, 30, 40, 50, 60] + [0] * 762)
    palette.putdata([0, 1] * 15)
    image = images.read(palette)
    np.testing.assert_array_equal(image[0, :2], [[10, 20, 30], [40, 50, 60]])


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("LA", 1), ("I", 1), ("F", 1), ("I;16B", 1)])
def test_grey_modes_have_one_channel(mode, channels):
    assert images.read(Pillow.new(mode, (6, 5))).shape == (5, 6, channels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBa", "PA", "CMYK", "YCbCr", "HSV", "LAB"])
def test_other_modes_have_three(mode):
    assert images.read(Pillow.new(mode, (6, 5))).shape == (5, 6, 3)


def test_alpha_is_dropped_and_not_blended():
    alpha = np.concatenate([COLOUR, np.full((5, 6, 1), 3, np.uint8)], axis=-1)
    for source in (alpha, Pillow.fromarray(alpha)):
        np.testing.assert_array_equal(images.read(source), COLOUR)


def test_cmyk_black_and_white():
    white, black = Pillow.new("CMYK", (2, 1), (0, 0, 0, 0)), Pillow.new("CMYK", (2, 1), (0, 0, 0, 255))
    assert images.read(white).min() == 255
    assert images.read(black).max() == 0


def test_exif_rotation_is_applied(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn a quarter clockwise
    Pillow.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(images.read(tmp_path / "a.png")[..., 0], np.rot90(GREY, -1))


def test_frames_are_the_first_axis_of_a_volume_and_refused_as_a_slice(tmp_path):
    frames = [GREY, GREY + 1, GREY + 2]
    first, *others = [Pillow.fromarray(frame) for frame in frames]
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others)
    np.testing.assert_array_equal(images.read(tmp_path / "stack.tif", rank=3)[..., 0], np.stack(frames))
    with pytest.raises(InvalidInput, match="holds 3 frames"):
        images.read(tmp_path / "stack.tif")


def test_arrays_by_rank():
    assert images.read(np.zeros((5, 6))).shape == (5, 6, 1)
    assert images.read(np.zeros((5, 6, 3), bool)).shape == (5, 6, 3)
    assert images.read(np.zeros((5, 6, 3)), rank=3).shape == (5, 6, 3, 1)
    assert images.read(np.zeros((5, 6, 8, 4)), rank=3).shape == (5, 6, 8, 3)
    assert images.read([[1, 2], [3, 4], [5, 6]]).shape == (3, 2, 1)


def test_as_many_channels_as_the_model_takes_are_kept():
    four = np.arange(120.0).reshape(5, 6, 4)
    np.testing.assert_array_equal(images.read(four, channels=4), four)
    np.testing.assert_array_equal(images.read(four[..., :2], channels=2), four[..., :2])
    assert images.read(GREY, channels=3).shape == (5, 6, 3)


def test_the_callers_array_is_never_the_result():
    for own in (np.ones((5, 6, 1), np.float32), np.ones((5, 6), np.float32)):
        kept = own.copy()
        images.read(own)[...] = 7
        np.testing.assert_array_equal(own, kept)


@pytest.mark.parametrize(
    ("source", "rank", "sentence"),
    [
        (np.zeros((0, 6)), 2, "is empty"),
        (np.full((5, 6), np.nan), 2, "30 values that are NaN or infinite"),
        (np.array([[1.0, np.inf]]), 2, "1 values that are NaN or infinite"),
        (np.full((5, 6), 1e300), 2, "NaN or infinite"),
        (np.zeros(6), 2, r"shape \(6,\)"),
        (np.zeros((3, 5, 6)), 2, "channels last"),
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
        images.read(source, rank)


def test_broken_files(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 80)).astype(np.uint8)
    for suffix in ("jpg", "png", "tif", "bmp"):
        whole = tmp_path / f"whole.{suffix}"
        Pillow.fromarray(noise).save(whole)
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        with pytest.raises(InvalidInput, match=f"cut.{suffix}"):
            images.read(cut)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name, sentence in (("text.png", "no image"), ("empty.png", "no image"), ("bad.npy", "damaged")):
        with pytest.raises(InvalidInput, match=sentence):
            images.read(tmp_path / name)
    with pytest.raises(InvalidInput, match=r"pickle\.npy"):
        images.read(tmp_path / "pickle.npy")
    with pytest.raises(InvalidInput, match="is a folder"):
        images.read(tmp_path)


def test_luminance_by_hand():
    image = COLOUR.astype(np.float32)
    by_hand = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    np.testing.assert_allclose(images.with_channels(image, 1)[..., 0], by_hand, rtol=1e-6)
    with Pillow.fromarray(COLOUR) as picture:
        assert np.abs(images.with_channels(image, 1)[..., 0] - np.asarray(picture.convert("L"))).max() <= 1


def test_luminance_leaves_grey_alone_and_repeating_is_undone():
    grey = GREY[..., None].astype(np.float32)
    three = images.with_channels(grey, 3)
    assert all((three[..., c] == grey[..., 0]).all() for c in range(3))
    np.testing.assert_allclose(images.with_channels(three, 1), grey, rtol=1e-6)
    assert images.with_channels(grey, None) is grey
    with pytest.raises(InvalidInput, match="3 channels cannot be given 2"):
        images.with_channels(three, 2)


def dataset(*sources):
    return Dataset(("a",), tuple(Case(f"case {i}", 0, None, s) for i, s in enumerate(sources)))


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_load_is_read_and_sample(tmp_path, fit):
    Pillow.fromarray(COLOUR).save(tmp_path / "a.png")
    loaded = images.load(dataset(tmp_path / "a.png", GREY), (4, 7), channels=3, fit=fit)
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
    np.testing.assert_array_equal(images.load(dataset(volume), (3, 5, 6))[0, ..., 0], volume)
    assert images.load(dataset(), (3, 5)).shape == (0, 3, 5, 1)


def test_load_names_the_case_that_fails():
    with pytest.raises(InvalidInput, match="case `case 1` cannot be read"):
        images.load(dataset(GREY, np.zeros(3)), (5, 6))
