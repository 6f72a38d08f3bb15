"""Images of 0 to 1 beside images of 0 to 255 are told; dark images and empty slices are not."""

import warnings

import numpy as np
import pytest

from xaimri.data import Case, Dataset
from xaimri.data.stack import load_images
from xaimri.errors import InvalidInput
from xaimri.images import Window
from xaimri.images.ranges import Ranges

BYTES = np.random.default_rng(0).integers(0, 256, (6, 7), dtype=np.uint8)
BYTES[0, 0] = 255
TWELVE = (BYTES * np.uint16(16)).astype(np.uint16)
FLOATS = BYTES / np.float32(255)


def dataset(*images):
    return Dataset(("a",), tuple(Case(f"c{n}", 0, f"s{n}", image) for n, image in enumerate(images)))


@pytest.mark.parametrize("other", [BYTES, TWELVE, BYTES.astype(float), TWELVE[..., None]])
def test_two_ranges_in_one_set_are_refused_unless_a_window_spreads_each(other):
    images = dataset(other, FLOATS, other)
    with pytest.raises(InvalidInput, match=r"`c1` lies in 0\.\.1 and `c0` reaches (255|4080): "):
        load_images(images, (6, 7))
    both = load_images(images, (6, 7), window=Window(0, 100, percentile=True))
    np.testing.assert_allclose(both[0], both[1], atol=1e-3)  # the same image on two scales


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((6, 7), np.uint8),
        np.eye(6, 7, dtype=np.uint8),  # 0 and 1 of 8 bits
        0.02 * FLOATS,  # an empty slice of a volume that was resampled
        FLOATS - 0.5,  # another scale, but not 0 to 1
    ],
)
def test_dark_images_are_of_the_same_range(odd):
    images = load_images(dataset(BYTES, odd), (6, 7))
    np.testing.assert_allclose(images[..., 0], [BYTES, odd], atol=1e-4)


@pytest.mark.parametrize(
    ("window", "side"),
    [((0, 4095), "below"), ((0, 1), "above"), ((-1000, 4000), None), ((0, 255), None), ((30, 80), None)],
)
@pytest.mark.parametrize("images", [[BYTES], [BYTES, BYTES.astype(float), BYTES[..., None]]])
def test_images_that_a_window_misses_are_told(images, window, side):
    assert Window(*window).misses(BYTES) == side
    if side is None:
        load_images(dataset(*images), (6, 7), window=window)
        return
    with pytest.raises(InvalidInput, match=f"^{len(images)} of {len(images)} images, such as `c0`, are next"):
        load_images(dataset(*images), (6, 7), window=window)


def test_a_few_images_that_a_window_misses_are_a_warning_and_the_rest_is_read():
    flat = np.full((6, 7), 9, np.uint8)
    with pytest.warns(UserWarning, match="1 of 4 images, such as `c3`, are next to black or white"):
        images = load_images(dataset(TWELVE, TWELVE, TWELVE, BYTES), (6, 7), window=(0, 4080))
    np.testing.assert_allclose(images[0, ..., 0], BYTES, atol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # constant ones, such as empty slices, are told by no window
        load_images(dataset(TWELVE, flat, flat, flat), (6, 7), window=(0, 4080))
        load_images(dataset(BYTES, TWELVE), (6, 7), window=Window(0, 100, percentile=True))


def test_one_of_many_may_be_an_empty_slice():
    seen = Ranges()
    for n in range(40):
        seen.note(str(n), BYTES[..., None].astype(np.float32))
    seen.note("empty", FLOATS[..., None])
    assert seen.fault is None
    seen.note("another", FLOATS[..., None])
    seen.note("third", FLOATS[..., None])
    assert seen.fault is not None
    assert seen.fault.startswith("`empty` lies in 0..1 and `0` reaches 255: ")


def test_files_and_arrays_of_every_kind_are_predicted_as_they_are_explained(tmp_path):
    """Alpha, palettes, 16 bits, floats: one way in, by a data set as by one image."""
    from PIL import Image

    import xaimri

    colour = np.random.default_rng(1).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    alpha = np.concatenate([colour, np.full((6, 7, 1), 100, np.uint8)], axis=2)
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    Image.fromarray(colour).quantize(256).save(tmp_path / "palette.png")
    Image.fromarray(TWELVE).save(tmp_path / "twelve.png")
    Image.fromarray(BYTES.astype(np.float32)).save(tmp_path / "float.tif")
    files = [tmp_path / name for name in ("alpha.png", "palette.png", "twelve.png", "float.tif")]
    model = xaimri.open_model(xaimri.LinearClassifier.random((6, 7, 3), classes=3), window=(0, 255))
    found = model.predict(dataset(*files))
    for file, p in zip(files, found, strict=True):
        np.testing.assert_allclose(model.explain(file, "saliency").probabilities, p, atol=1e-6)
    with pytest.warns(UserWarning, match=r"1 of 4 images, such as `c2`, are next to black or white"):
        images = load_images(dataset(*files), (6, 7), 3, window=(0, 255))
    np.testing.assert_allclose(images[0], colour, atol=1e-4)  # alpha is dropped, not blended
    np.testing.assert_allclose(images[1], colour, atol=1e-4)
    np.testing.assert_allclose(images[2], np.minimum(TWELVE, 255)[..., None].repeat(3, 2), atol=1e-4)
    np.testing.assert_allclose(images[3], BYTES[..., None].repeat(3, 2), atol=1e-4)
    np.testing.assert_array_equal(
        load_images(dataset(np.moveaxis(colour, -1, 0)), (6, 7), 3, layout="channels_first")[0], colour
    )
